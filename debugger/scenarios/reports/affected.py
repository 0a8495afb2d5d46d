"""Reports of what the changes between two versions affect: for a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from debugger.analysis.affected import ChangeEffect, field_name
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import json_bytes
from debugger.replays.groups import change_text
from debugger.scenarios.affected import AffectedReport, Finding, Findings, NamedVersion

FORMAT = "workflow-debugger-affected"
VERSION = 1
"""Raised when a field changes its meaning or goes; readers ignore fields that they do not know."""

_MOST_RUNS = 50
"""Runs that are listed for a terminal; the JSON report has all."""


def effect_text(effect: ChangeEffect) -> str:
    """Return a change in words: ``node Desk changed (prompt)``, ``workflow: llms_config changed``."""
    if effect.change.part != "settings":
        return change_text(effect.change)
    names = dict.fromkeys(field_name(each.path) for each in effect.change.fields)
    return f"workflow: {', '.join(names)} changed"


def text_lines(report: AffectedReport) -> Iterator[str]:
    """Yield what changed, then the affected scenarios and runs, for a terminal."""
    versions = f"{report.old.words} and {report.new.words}"
    if not report.effects:
        yield f"No node, edge or setting differs between {versions}."
        return
    yield f"Changes between {versions}:"
    for number, effect in enumerate(report.effects, 1):
        yield f"  {number}. {effect_text(effect)}: {_reach(effect, report)}"
    places = _places(report)
    if report.scenarios is not None:
        yield _summary("scenario", report.scenarios, "of another workflow")
        yield from (_finding_line(each, places) for each in report.scenarios.affected)
    yield _summary("stored run", report.runs, "of the new version")
    for each in report.runs.affected[:_MOST_RUNS]:
        yield _finding_line(each, places)
    if (rest := len(report.runs.affected) - _MOST_RUNS) > 0:
        yield f"  … and {rest} more; see --report FILE.json."


def _reach(effect: ChangeEffect, report: AffectedReport) -> str:
    """Return how many scenarios and runs a change affects, in words."""
    if effect.scope == "none":
        return "affects no run"
    found = [("scenario", report.scenarios), ("stored run", report.runs)]
    counts = [
        _counted(sum(effect in each.effects for each in findings.affected), noun)
        for noun, findings in found
        if findings is not None
    ]
    lead = "affects every run: " if effect.scope == "every" else ""
    return f"{lead}{', '.join(counts)}"


def _summary(noun: str, findings: Findings, left_out: str) -> str:
    more = f", {findings.left_out} {left_out} left out" if findings.left_out else ""
    ending = ":" if findings.affected else "."
    return f"{len(findings.affected)} of {_counted(findings.total, noun)} affected{more}{ending}"


def _finding_line(finding: Finding, places: dict[int, int]) -> str:
    version = "" if finding.version is None else f" (version {finding.version})"
    numbers = [str(places[id(each)] + 1) for each in finding.effects]
    reasons = [f"not known what it passes: {finding.reason}"] if finding.reason else []
    changes = [f"change{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"] if numbers else []
    return f"  {finding.id}{version}: {'; '.join([*reasons, *changes])}"


def _places(report: AffectedReport) -> dict[int, int]:
    """Return the place of each change in the report, from 0, by the identity of its object."""
    return {id(effect): place for place, effect in enumerate(report.effects)}


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def write_json(file: BinaryIO, report: AffectedReport) -> None:
    """Write the report as one object; the file stays open."""
    places = _places(report)
    found: JsonObject = {
        "format": FORMAT,
        "version": VERSION,
        "old": _version_json(report.old),
        "new": _version_json(report.new),
        "changes": [_effect_json(each) for each in report.effects],
        "runs": {
            **_counts_json(report.runs),
            "affected": [
                {"run_id": each.id, "workflow_version": each.version, **_finding_json(each, places)}
                for each in report.runs.affected
            ],
        },
    }
    if report.scenarios is not None:
        found["scenarios"] = {
            **_counts_json(report.scenarios),
            "affected": [
                {"id": each.id, **_finding_json(each, places)} for each in report.scenarios.affected
            ],
        }
    file.write(json_bytes(found) + b"\n")


def _version_json(version: NamedVersion) -> JsonObject:
    return {
        "workflow": version.workflow.name,
        "workflow_id": version.workflow_id or None,
        "workflow_version": version.number,
        "file": version.file or None,
    }


def _effect_json(effect: ChangeEffect) -> JsonObject:
    change = effect.change
    return {
        "part": "workflow" if change.part == "settings" else change.part,
        "id": change.id,
        "name": change.name,
        "op": change.op,
        "fields": [each.path for each in change.fields],
        "text": effect_text(effect),
        "affects": effect.scope,
        "items": [f"node:{each}" for each in sorted(effect.nodes)]
        + [f"edge:{each}" for each in sorted(effect.edges)],
    }


def _finding_json(finding: Finding, places: dict[int, int]) -> JsonObject:
    """Return the changes by their place in the report, and the reason where the passage is not known."""
    return {"changes": [places[id(each)] for each in finding.effects], "reason": finding.reason or None}


def _counts_json(findings: Findings) -> JsonObject:
    return {"total": findings.total, "left_out": findings.left_out}
