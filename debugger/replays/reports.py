"""Reports of a replay: for a terminal, JUnit, JSON and a table.

Results are read from the store one by one and masked, so that memory does not grow with their number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any, BinaryIO
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from debugger.boundary import Boundary, Kind, MaskingOptions
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import json_bytes
from debugger.replays.groups import ReplayGroup
from debugger.replays.results import REPLAY_VERDICTS, VERDICT_LABELS, Divergence, ReplayResult, ReplayVerdict
from debugger.store import Acceptance, ReplayRepository, StoredReplay
from debugger.store.sql_helpers import iso_time

FORMAT = "workflow-debugger-replay"
VERSION = 1
"""Raised when a field changes its meaning or goes; readers ignore fields that they do not know."""

CSV_COLUMNS = (
    *("run_id", "recorded_version", "verdict", "turns", "turn", "node_logical_id", "node_name", "subject"),
    *("before", "after", "reason", "change", "group", "accepted_by", "comment"),
)
"""The columns of `csv_rows`."""

KEYS_ONLY = MaskingOptions(frozenset({"key"}))
"""For a terminal: secrets, keys and tokens are masked, personal data is not."""

_GROUPS_SHOWN = 30
NOT_COMPARED: frozenset[ReplayVerdict] = frozenset({"needs_model", "not_comparable"})
"""Verdicts that say nothing on whether the run is the same."""
_NOT_XML = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Register = Callable[[Boundary, ReplayResult], None]
"""Begins the run of a result at a boundary, with its names and the values that rules mask."""


def register_nothing(boundary: Boundary, result: ReplayResult) -> None:
    """Begin a run of which no more than its result is known."""
    boundary.begin_run()


@dataclass(frozen=True)
class ReplayReport:
    """A replay as it is reported."""

    replays: ReplayRepository
    replay: StoredReplay
    groups: Sequence[ReplayGroup]
    """Not masked; those with the most runs."""
    workflow_name: str = ""
    fail_on: Collection[ReplayVerdict] = ()
    """The verdicts of groups that fail, unless they are accepted."""
    masking: MaskingOptions = field(default_factory=MaskingOptions)
    register: Register = register_nothing

    @cached_property
    def open_counts(self) -> dict[str, int]:
        """Return the number of results by verdict, without accepted groups."""
        found = self.replays.count_open(self.replay.id)
        return {verdict: found[verdict] for verdict in REPLAY_VERDICTS}

    @property
    def failures(self) -> int:
        """Return the number of runs that fail."""
        return sum(self.open_counts[verdict] for verdict in self.fail_on)

    @property
    def place(self) -> str:
        """Return the version that was played: ``version 7``, or the name of its file."""
        target = self.replay.target
        return target.file or f"version {target.version_number}"

    @cached_property
    def changes(self) -> dict[str, str]:
        """Return the changes of the workflow in words, masked, by the keys of the groups."""
        return {group.key: group.change for group in self.masked_groups()}

    @cached_property
    def acceptances(self) -> dict[str, Acceptance]:
        """Return what is accepted, masked, by the keys of the groups."""
        boundary = Boundary(self.masking)
        found = self.replays.acceptances(self.replay.target.workflow_id)
        return {key: _masked_acceptance(each, boundary) for key, each in found.items()}

    def results(self, verdict: ReplayVerdict | None = None) -> Iterator[tuple[str, ReplayResult]]:
        """Yield each result, or those of a verdict, with the key of its group; they are masked."""
        boundary = Boundary(self.masking)
        for stored in self.replays.all_results(self.replay.id, verdict=verdict):
            yield stored.key, self._masked(ReplayResult.from_json(stored.result), boundary)

    def masked_groups(self) -> Iterator[ReplayGroup]:
        """Yield the groups, masked."""
        boundary = Boundary(self.masking)
        for group in self.groups:
            example = self._masked(group.example, boundary)
            accepted = group.acceptance and _masked_acceptance(group.acceptance, boundary)
            change = boundary.release(Kind.TEXT, group.change)
            yield replace(group, example=example, change=change, acceptance=accepted)

    def _masked(self, result: ReplayResult, boundary: Boundary) -> ReplayResult:
        """Return a copy of a result whose texts and values are masked.

        Reads the run, unless the result has neither.
        """
        if result.divergence is None and not result.reason:
            return result
        self.register(boundary, result)
        return replace(
            result,
            divergence=_masked_divergence(result.divergence, boundary),
            then=_masked_divergence(result.then, boundary),
            reason=boundary.release(Kind.TEXT, result.reason),
        )


def _masked_divergence(found: Divergence | None, boundary: Boundary) -> Divergence | None:
    """Return a copy whose texts are masked; the value of a variable that a rule names is masked whole."""
    if found is None:
        return None
    return replace(
        found,
        node=boundary.release(Kind.NAME, found.node),
        before=str(boundary.release(Kind.VALUE, found.before, found.subject)),
        after=str(boundary.release(Kind.VALUE, found.after, found.subject)),
        subject=boundary.release_path(found.subject),
    )


def _masked_acceptance(acceptance: Acceptance, boundary: Boundary) -> Acceptance:
    return acceptance._replace(comment=boundary.release(Kind.TEXT, acceptance.comment))


def summary(report: ReplayReport) -> str:
    """Return the result in one line: ``3 runs on version 7: 2 same, 1 other path (1 accepted)``."""
    counts = report.replay.counts
    total = counts.total()
    words = []
    for verdict in REPLAY_VERDICTS:
        if number := counts[verdict]:
            accepted = number - report.open_counts[verdict]
            more = f" ({accepted} accepted)" if accepted and verdict != "same" else ""
            words.append(f"{number} {VERDICT_LABELS[verdict].lower()}{more}")
    found = ", ".join(words) or "no result"
    return f"{total} run{'' if total == 1 else 's'} on {report.place}: {found}."


def text_lines(report: ReplayReport) -> Iterator[str]:
    """Yield the groups with the most runs, with change, example and key, and the summary, for a terminal."""
    groups = report.masked_groups()
    for group in islice(groups, _GROUPS_SHOWN):
        yield f"{group.count} × {_line(group.text)}"
        if group.change:
            yield f"  change: {_line(group.change)}"
        yield f"  example: {group.example.run_id}, recorded on version {group.example.version_number}"
        yield f"  group: {group.key}{_accepted_words(group.acceptance)}"
    if (rest := len(report.groups) - _GROUPS_SHOWN) > 0:
        yield f"… and {rest} more group{'' if rest == 1 else 's'}."
    yield summary(report)


def _accepted_words(acceptance: Acceptance | None) -> str:
    if acceptance is None:
        return ""
    comment = f": {_line(acceptance.comment)}" if acceptance.comment else ""
    return f", accepted by {_line(acceptance.accepted_by)}{comment}"


def _line(text: str) -> str:
    return " ".join(text.split())


def write_json(file: BinaryIO, report: ReplayReport) -> None:
    """Write a replay as one object, with groups and results; the file stays open."""
    file.write(json_bytes(_head(report)).removesuffix(b"}") + b',"groups":[')
    _write_items(file, (_group_json(group) for group in report.masked_groups()))
    file.write(b'],"results":[')
    _write_items(file, (_result_json(report, *each) for each in report.results()))
    file.write(b"]}\n")


def _write_items(file: BinaryIO, items: Iterator[JsonObject]) -> None:
    for number, item in enumerate(items):
        file.write((b"," if number else b"") + json_bytes(item))


def _head(report: ReplayReport) -> JsonObject:
    """Return the facts of a replay as JSON; what is not known is null."""
    replay = report.replay
    return {
        "format": FORMAT,
        "version": VERSION,
        "id": replay.id,
        "workflow_id": replay.target.workflow_id,
        "workflow": report.workflow_name,
        "workflow_version": None if replay.target.file else replay.target.version_number,
        "file": replay.target.file or None,
        "connection": replay.target.connection or None,
        "started_at": iso_time(replay.started_at),
        "ended_at": None if replay.ended_at is None else iso_time(replay.ended_at),
        "is_complete": replay.is_complete,
        "selected": replay.selected,
        "counts": {verdict: replay.counts[verdict] for verdict in REPLAY_VERDICTS},
        "not_accepted": report.open_counts,
        "fail_on": [verdict for verdict in REPLAY_VERDICTS if verdict in report.fail_on],
        "failures": report.failures,
        "masked": sorted(report.masking.rules),
    }


def _group_json(group: ReplayGroup) -> JsonObject:
    accepted = group.acceptance
    return {
        "key": group.key,
        "verdict": group.verdict,
        "runs": group.count,
        "text": group.text,
        "change": group.change or None,
        "example": group.example.run_id,
        "accepted": None
        if accepted is None
        else {
            "by": accepted.accepted_by,
            "comment": accepted.comment,
            "at": iso_time(accepted.accepted_at),
        },
    }


def _result_json(report: ReplayReport, key: str, result: ReplayResult) -> JsonObject:
    return {**result.to_json(), "group": key or None, "is_accepted": key in report.acceptances}


def csv_rows(report: ReplayReport) -> Iterator[list[Any]]:
    """Yield a row for each run with the values of `CSV_COLUMNS`; formulas are not guarded."""
    for key, result in report.results():
        found, accepted = result.divergence, report.acceptances.get(key)
        yield [
            *(result.run_id, result.version_number, result.verdict, result.turns),
            *(
                (found.turn, found.node_id, found.node, found.subject, found.before, found.after)
                if found
                else (None,) * 6
            ),
            *(result.reason, report.changes.get(key, ""), key),
            *((accepted.accepted_by, accepted.comment) if accepted else ("", "")),
        ]


def write_junit(file: BinaryIO, report: ReplayReport) -> None:
    """Write a replay as XML with a suite for each verdict and a case for each run; the file stays open.

    A run of a verdict that fails is a failure, unless its group is accepted. One that could not be compared
    is skipped where its verdict does not fail.
    """
    counts, open_counts = report.replay.counts, report.open_counts
    skipped = {verdict for verdict in NOT_COMPARED if verdict not in report.fail_on}
    name = f"replay on {report.place}"
    total = {"tests": counts.total(), "failures": report.failures, "errors": 0}
    total["skipped"] = sum(open_counts[verdict] for verdict in skipped)
    file.write(b"<?xml version='1.0' encoding='utf-8'?>\n")
    file.write(f"<testsuites name={_attribute(name)}{_numbers(total)}>\n".encode())
    for verdict in REPLAY_VERDICTS:
        if not counts[verdict]:
            continue
        number = open_counts[verdict]
        fails, skips = verdict in report.fail_on, verdict in skipped
        own = {"tests": counts[verdict], "failures": number * fails, "errors": 0, "skipped": number * skips}
        label = _attribute(VERDICT_LABELS[verdict])
        moment = _attribute(iso_time(report.replay.started_at).partition(".")[0])
        file.write(f"<testsuite name={label} timestamp={moment}{_numbers(own)}>\n".encode())
        for key, result in report.results(verdict):
            case = _case(report, key, result, fails=fails, skips=skips)
            file.write(ElementTree.tostring(case, encoding="utf-8") + b"\n")
        file.write(b"</testsuite>\n")
    file.write(b"</testsuites>\n")


def _case(
    report: ReplayReport, key: str, result: ReplayResult, *, fails: bool, skips: bool
) -> ElementTree.Element:
    """Return the element of a run: failed, skipped, or passed with what differs as output."""
    workflow = report.workflow_name or report.replay.target.workflow_id
    case = ElementTree.Element("testcase", classname=_xml(workflow), name=result.run_id, time="0")
    accepted = report.acceptances.get(key)
    if not key:
        return case
    lines = [result.text, f"group: {key}"]
    if change := report.changes.get(key):
        lines.insert(1, f"change: {change}")
    if accepted is not None:
        lines.append(_accepted_words(accepted).removeprefix(", "))
    elif fails:
        failure = ElementTree.SubElement(
            case, "failure", type=result.verdict, message=_xml(_line(result.text))
        )
        failure.text = _xml("\n".join(lines))
        return case
    elif skips:
        message = _xml(f"{VERDICT_LABELS[result.verdict]}: {_line(result.text)}")
        ElementTree.SubElement(case, "skipped", message=message)
    ElementTree.SubElement(case, "system-out").text = _xml("\n".join(lines))
    return case


def _numbers(numbers: dict[str, int]) -> str:
    return "".join(f' {name}="{number}"' for name, number in numbers.items()) + ' time="0"'


def _attribute(text: str) -> str:
    return quoteattr(_xml(text))


def _xml(text: str) -> str:
    """Return a text with U+FFFD for each character that XML or a terminal does not take."""
    return _NOT_XML.sub("�", text)
