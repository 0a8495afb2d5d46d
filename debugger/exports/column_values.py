"""The values of columns, read from rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from debugger.analysis.differences import Difference
from debugger.analysis.event_fields import iso_utc
from debugger.analysis.metrics import Costs
from debugger.analysis.mocked_events import is_fault_at, is_mocked
from debugger.analysis.timeline import TimelineRow
from debugger.exports.records import Remark, separated
from debugger.exports.rows import ExportRow
from debugger.protocol.json_codec import encode
from debugger.protocol.notes import Target
from debugger.protocol.scenario_runs import ScenarioCheck


def verdict_of(row: ExportRow, name: str) -> Any:
    """Return a part of the newest verdict on a row."""
    found = row.run.review.verdict(row.target)
    return getattr(found, name) if found else ""


def run_verdict(row: ExportRow, name: str) -> Any:
    """Return a part of the newest verdict on the run."""
    found = row.run.review.verdict(Target())
    return getattr(found, name) if found else ""


def turn_verdict(row: ExportRow) -> str:
    """Return the newest verdict on a message's turn, on its last row."""
    found = row.run.review.verdict(row.turn_target)
    return found.value if found and row.is_last else ""


def run_reasons(row: ExportRow) -> list[Remark]:
    """Return every verdict on the run with its comment."""
    return separated(row.run.review.reasons(Target()))


def turn_reasons(row: ExportRow) -> list[Remark]:
    """Return every verdict on a message's turn with its comment, on its last row."""
    return separated(row.run.review.reasons(row.turn_target) if row.is_last else [])


def rubric_of(row: ExportRow) -> Mapping[str, str]:
    """Return the results of the rubric by check.

    They are given with the verdict on the run, except where a script has stored some on the row itself.
    """
    return row.run.review.results(row.target) or row.run.review.results(Target())


def checks_of(row: ExportRow) -> list[Remark]:
    """Return the results of the rubric in words."""
    return rubric_words(rubric_of(row))


def rubric_words(results: Mapping[str, str]) -> list[Remark]:
    """Return results of checks in words: ``greets: pass; asks: fail``."""
    return separated([Remark("", name, f": {found}") for name, found in results.items()], "; ")


def rating_of(row: ExportRow) -> str:
    """Return the rating of a row, or of its turn."""
    own = row.run.review.rating(row.target)
    if own or row.message is None or not row.is_last:
        return own
    return row.run.review.rating(row.turn_target)


def remarks_of(row: ExportRow) -> list[Remark]:
    """Return the comments on a row and its turn."""
    targets = [row.target]
    if row.message is not None and row.is_last:
        targets.insert(0, row.turn_target)
    return separated([each for target in targets for each in row.run.review.comments(target)])


def run_remarks(row: ExportRow) -> list[Remark]:
    """Return the comments on the run."""
    return separated(row.run.review.comments(Target()))


def event_of(row: ExportRow, name: str) -> Any:
    """Return a text of an event; empty for none."""
    return getattr(row.event, name) or ""


def is_troubled(row: ExportRow) -> bool:
    """Return whether something failed or was warned of at the row's event."""
    assert row.event is not None
    return row.event.trouble is not None


def texts_of(row: ExportRow, role: str) -> str:
    """Return what one side said in a turn."""
    assert row.turn is not None
    return "\n".join(each.text for each in row.turn.rows if each.role == role)


def path_of(row: ExportRow, write: Callable[[Any], str], name: str) -> str:
    """Return the way to a message, or of a turn, in words."""
    if row.message is not None:
        return str(getattr(row.message, name))
    return write(row.turn.steps if row.turn else [])


def at_end(row: ExportRow, read: Callable[[Any], Any]) -> Any:
    """Return what a turn ends in; nothing on its earlier rows."""
    return read(row.turn) if row.is_last and row.turn is not None else None


def token_of(row: ExportRow, name: str) -> Any:
    """Return tokens or time of a turn, on its last row."""
    return getattr(row.tokens, name) if row.is_last and row.tokens is not None else None


def cost_of(row: ExportRow, costs: Costs | None) -> float | str | None:
    """Return a cost as a number, or as text with several currencies.

    Nothing is returned where a model has no price: the sum would be too low.
    """
    if costs is None or costs.unpriced or not costs.by_currency:
        return None
    if len(row.run.costs.by_currency) > 1:
        return str(costs)
    return round(sum(costs.by_currency.values()), 9)


def currency_of(row: ExportRow) -> str:
    """Return the currency of the run's costs; empty for none or several."""
    found = list(row.run.costs.by_currency)
    return found[0] if len(found) == 1 else ""


def changes_of(row: ExportRow) -> Any:
    """Return the changes of a turn, on its last row."""
    changes: list[Difference] = at_end(row, lambda turn: turn.changes) or []
    return [asdict(change) for change in changes] or None


def changes_in_words(row: ExportRow) -> Any:
    """Return the same to be written in words."""
    found = changes_of(row)
    return Words(found) if found else None


class Words(list[Any]):
    """Changes of variables that are written in words, and not as JSON."""


def change_words(changes: Sequence[Mapping[str, Any]]) -> str:
    """Return changes in words: ``name: (none) → "Ada"``, one a line."""
    return "\n".join(
        f"{change['path']}: {_side(change, 'before', 'added')} → {_side(change, 'after', 'removed')}"
        for change in changes
    )


def _side(change: Mapping[str, Any], side: str, absent: str) -> str:
    return "(none)" if change["op"] == absent else value_words(change[side])


def value_words(value: Any) -> str:
    """Return a value in words: a text as it is, others as JSON."""
    return value if isinstance(value, str) else encode(value).decode()


def mocked(row: ExportRow) -> bool:
    """Return whether something else answered in the place of a service or model, as a pin or a simulation.

    Of a turn, and on the last row of its messages, any node of the turn counts; of any other message its own.
    A user's message is never so.
    """
    nodes = row.facts.mocked_nodes
    if row.event is not None and row.payload is not None:
        is_end = row.event.type == "end_node_run"  # the ledger names nodes, not events
        return (is_end and row.event.node_logical_id in nodes) or is_mocked(row.payload)
    if row.message is None or row.message.role == "user":
        return bool(nodes) and row.message is None
    return row.message.node_logical_id in nodes or (row.is_last and bool(nodes))


def faulted(row: ExportRow) -> bool:
    """Return whether a fault of the debugger's user took effect, in the turn or at the event."""
    if row.event is None or row.payload is None:
        return row.is_last and row.facts.is_faulted
    return (row.event.trouble is not None and row.event.trouble.is_faulted) or is_fault_at(row.payload)


def failure_kinds(row: ExportRow) -> str:
    """Return what failed, one word for each node and kind."""
    return "; ".join(kind for kind, _ in found) if (found := _problems(row)) else ""


def error_nodes(row: ExportRow) -> str:
    """Return the nodes that failed, in the order of `failure_kinds`."""
    return "; ".join(node for _, node in found) if (found := _problems(row)) else ""


def _problems(row: ExportRow) -> list[tuple[str, str]]:
    """Return each kind of trouble with the node that it was at."""
    if row.event is not None:
        trouble = row.event.trouble
        return [(trouble.kind, _label(row.event))] if trouble is not None and trouble.is_problem else []
    rows = row.facts.problems if row.is_last else ()
    return list(dict.fromkeys((each.trouble.kind, _label(each)) for each in rows if each.trouble is not None))


def _label(row: TimelineRow) -> str:
    return row.node_name or row.node_logical_id or ""


def run_time(row: ExportRow) -> float | None:
    """Return the time of the run's turns so far, on the last row of a turn."""
    return row.facts.run_ms if row.is_last else None


def scenario_of(row: ExportRow, name: str = "name") -> str:
    """Return a field of the scenario that the run is of; empty without one."""
    return str(getattr(row.run.scenario, name)) if row.run.scenario is not None else ""


def scenario_tags(row: ExportRow) -> str:
    """Return the tags of the run's scenario, separated by commas."""
    return ", ".join(row.run.scenario.tags) if row.run.scenario is not None else ""


def expected_of(row: ExportRow) -> Sequence[ScenarioCheck]:
    """Return the checks of the run's scenario on the turn."""
    return row.checks


def match_of(row: ExportRow) -> str:
    """Return whether the turn is as the run's scenario expects; empty without an expectation."""
    if not row.checks:
        return ""
    return "pass" if all(each.passed or each.is_soft for each in row.checks) else "fail"


def latency_of(row: ExportRow) -> float | None:
    """Return the latency of a message's model, or of a turn's."""
    if row.message is not None:
        return row.message.latency_ms
    return row.tokens.latency_ms if row.tokens else None


def time_of(row: ExportRow) -> str:
    """Return when a row's message, event or turn was."""
    if row.message is not None:
        return row.message.at
    if row.event is not None:
        return row.event.timestamp
    return iso_utc(next((event.timestamp for event in row.log.events if event.timestamp > 0), None))


def node_of(row: ExportRow, name: str) -> str:
    """Return a field of a message's node, or of a turn's last."""
    if row.message is not None:
        return str(getattr(row.message, name))
    last = row.turn.rows[-1] if row.turn and row.turn.rows else None
    return str(getattr(last, name)) if last else ""


@dataclass(frozen=True)
class NamedValue:
    """The value of one variable, whose name masking rules read."""

    name: str
    value: Any


@dataclass(frozen=True)
class NamedParts:
    """The parts of one variable that changed, each with its whole path."""

    name: str
    parts: list[NamedValue]


def variable_of(row: ExportRow, name: str) -> NamedValue | NamedParts | None:
    """Return the value of a variable that the turn changed, or its changed parts; ``None`` for neither.

    It is on the last row of a turn alone. Where several scopes have the variable, the first one changed
    counts.
    """
    parts: dict[str, list[NamedValue]] = {}
    changes: list[Difference] = at_end(row, lambda turn: turn.changes) or []
    for change in changes:
        scope, _, bare = change.path.partition(".")
        if name in (change.path, bare):
            return NamedValue(bare, change.after)
        if scope and bare.startswith((f"{name}.", f"{name}[")):
            parts.setdefault(scope, []).append(NamedValue(bare, change.after))
    return NamedParts(name, next(iter(parts.values()))) if parts else None
