"""Facts of two runs beside each other, with their differences in words."""

from __future__ import annotations

from typing import NamedTuple

from debugger.session.comparison import RunComparison
from debugger.session.loading import RecordedRun
from debugger.views.components.markdown import count
from debugger.views.components.status_badges import LOOKS


class Fact(NamedTuple):
    """One fact of both runs."""

    name: str
    a: str
    b: str
    difference: str
    """From A to B, in words; empty where they are the same, or where no word says more."""


def compare_facts(seen: RunComparison) -> list[Fact]:
    """Return the facts of both runs, in the order of the table.

    They are id, engine, workflow, version, status, turns, events, duration and tokens.
    """
    a, b = seen.a, seen.b
    one, other = seen.totals
    return [
        Fact("Run", a.run.workflow_run_id, b.run.workflow_run_id, ""),
        _fact("Engine", a.engine, b.engine),
        _fact("Workflow", *map(_workflow, (a, b)), is_same=a.run.workflow_id == b.run.workflow_id),
        _fact("Version", *(f"v{run.run.version_number}" for run in (a, b))),
        _fact("Status", *(LOOKS[run.run.status].word for run in (a, b))),
        Fact("Turns", f"{one.turns:,}", f"{other.turns:,}", _more(other.turns - one.turns)),
        Fact("Events", f"{one.events:,}", f"{other.events:,}", _more(other.events - one.events)),
        Fact(
            "Duration",
            _duration(one.milliseconds),
            _duration(other.milliseconds),
            _longer(one.milliseconds, other.milliseconds),
        ),
        Fact(
            "Tokens",
            _number(one.tokens),
            _number(other.tokens),
            "" if one.tokens is None or other.tokens is None else _more(other.tokens - one.tokens),
        ),
    ]


def describe_costs(seen: RunComparison) -> str:
    """Return how B differs from A in events, duration and tokens: ``B: 3 events more, 1.20 s longer``.

    Empty where none differs; a figure that one run does not have is left out.
    """
    one, other = seen.totals
    events = other.events - one.events
    tokens = 0 if one.tokens is None or other.tokens is None else other.tokens - one.tokens
    words = [
        f"{count(abs(events), 'event')} {_comparative(events)}" if events else "",
        _longer(one.milliseconds, other.milliseconds).removesuffix(" in B"),
        f"{count(abs(tokens), 'token')} {_comparative(tokens)}" if tokens else "",
    ]
    told = ", ".join(filter(None, words))
    return f"B: {told}" if told else ""


def _fact(name: str, a: str, b: str, *, is_same: bool | None = None) -> Fact:
    is_other = a != b if is_same is None else not is_same
    return Fact(name, a, b, f"another {name.lower()}" if is_other else "")


def _workflow(run: RecordedRun) -> str:
    return run.workflow.name or run.run.workflow_id


def _number(tokens: int | None) -> str:
    return "–" if tokens is None else f"{tokens:,}"


def _comparative(difference: float) -> str:
    return "more" if difference > 0 else "fewer"


def _more(difference: int) -> str:
    return f"{abs(difference):,} {_comparative(difference)} in B" if difference else ""


def _duration(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "–"
    return f"{milliseconds / 1000:,.2f} s" if milliseconds >= 1000 else f"{milliseconds:.1f} ms"


def _longer(one: float | None, other: float | None) -> str:
    if one is None or other is None or one == other:
        return ""
    return f"{_duration(abs(other - one))} {'longer' if other > one else 'shorter'} in B"
