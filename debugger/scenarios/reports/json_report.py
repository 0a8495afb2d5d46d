"""Suite runs as JSON."""

from __future__ import annotations

from typing import Any, BinaryIO

from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import json_bytes
from debugger.scenarios.reports.masked import ReportedResult, Sources, reported_results
from debugger.scenarios.reports.texts import RunLink, run_link
from debugger.scenarios.results import CheckResult, RepetitionResult, ScenarioResult, SuiteRun

FORMAT = "workflow-debugger-suite"
VERSION = 1
"""Raised when a field changes its meaning or goes; readers ignore fields that they do not know."""


def write_json(file: BinaryIO, suite: SuiteRun, sources: Sources) -> None:
    """Write a suite run as one object."""
    file.write(json_bytes(suite_json(suite, sources)) + b"\n")


def suite_json(suite: SuiteRun, sources: Sources) -> JsonObject:
    """Return a suite run as a JSON value, with masked results in the order of the files."""
    counts = suite.counts
    return {
        "format": FORMAT,
        "version": VERSION,
        "id": suite.id,
        "started_at": suite.started,
        "seconds": round(suite.seconds, 3),
        "counts": {name: counts[name] for name in ("passed", "failed", "error")}
        | {"not_run": len(suite.not_run)},
        "masked": sorted(sources.masking.rules),
        "results": [_result(each, sources.link) for each in reported_results(suite, sources)],
        "not_run": list(suite.not_run),
        "reason": suite.reason,
    }


def _result(reported: ReportedResult, link: RunLink) -> JsonObject:
    """Return a result as JSON; what is not known is null."""
    result, scenario = reported.result, reported.result.scenario
    return {
        "id": result.id,
        "file": result.file,
        "name": scenario.name,
        "tags": scenario.tags,
        "workflow": scenario.workflow,
        "workflow_version": reported.version,
        "connection": scenario.connection,
        "seed": scenario.seed,
        "row_number": result.row_number,
        "row": result.row,
        "outcome": result.outcome,
        "disposition": reported.disposition,
        "passes": result.passes,
        "seconds": round(result.seconds, 3),
        "repetitions": [_repetition(result, each, link) for each in result.repetitions],
    }


def _repetition(result: ScenarioResult, repetition: RepetitionResult, link: RunLink) -> JsonObject:
    """Return a repetition as JSON with its checks; its link is null where the run is not stored."""
    return {
        "outcome": repetition.outcome,
        "run_id": repetition.run_id,
        "link": run_link(result, repetition, link) or None,
        "turns": repetition.turns,
        "seconds": round(repetition.seconds, 3),
        "path": repetition.path,
        "workflow": None
        if (ran := repetition.ran) is None
        else {"name": ran.name, "version": ran.version, "made_with_version": ran.made_with},
        "error": repetition.error,
        "is_mistake": repetition.is_mistake,
        "checks": [_check(check) for check in repetition.checks],
    }


def _check(check: CheckResult) -> dict[str, Any]:
    """Return a check as JSON."""
    return {
        "kind": check.expectation.kind,
        "turn": check.turn,
        "message": check.expectation.message,
        "soft": check.expectation.soft,
        "passed": check.passed,
        "expected": check.expected,
        "got": check.got,
        "why": check.why,
        "event": check.event,
    }
