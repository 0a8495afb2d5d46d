"""Run files: one for a run, an archive of them for several."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import BinaryIO, TypeVar

from debugger.boundary import Boundary, Kind
from debugger.exports.records import ExportedRun
from debugger.exports.table import register_run, release_names
from debugger.protocol.base import JsonObject
from debugger.protocol.notes import MAX_COMMENT_CHARACTERS, Comment, Rating, RunNotes
from debugger.protocol.reviews import MAX_REVIEWER_CHARACTERS, RunVerdict, Verdict
from debugger.protocol.run_file import RunFile, write_run_file
from debugger.protocol.workflow import Workflow

Remark = TypeVar("Remark", Comment, Rating)

SUFFIX = ".run.json"
_OF_RECORD = ("workflow_run_id", "workflow_id", "version_number", "status", "source_workflow_run_id")
_OF_INPUT = ("command", "workflow_id", "workflow_run_id", "version_number")
"""Fields that no person's data is in, and that have but certain values."""


def build_run_file(run: ExportedRun, boundary: Boundary) -> RunFile:
    """Return the content of a run file without secrets and masked data; a turn in progress is left out.

    Args:
        run: The run, whose turns are read whole. It is registered at the boundary.
        boundary: Masks record, workflow, notes and verdicts.
    """
    register_run(boundary, run)
    pairs = (read() for read in run.record.turns)
    turns = [pair.to_wire() for pair in pairs if not pair.is_in_progress]
    record = {**run.run.to_wire(), "input_output_pairs": turns, "workflow_config_fully_hydrated": None}
    workflow = (run.workflow or Workflow()).to_wire()
    return RunFile(
        exported_at=datetime.now(UTC).isoformat(timespec="seconds"),
        engine=run.engine,
        masking=boundary.options.words,
        run=_with_structure(boundary.release(Kind.RECORD, record), record),
        workflow=boundary.release(Kind.DOCUMENT, workflow),
        notes=_masked_notes(run.notes, boundary),
        verdicts=_masked_verdicts(run.verdicts, boundary),
    )


def _masked_notes(notes: RunNotes, boundary: Boundary) -> RunNotes:
    """Return notes with their texts masked; targets, ratings and times are as they were."""
    return RunNotes(
        starred=notes.starred,
        tags=[boundary.release(Kind.TEXT, tag) for tag in notes.tags],
        note=boundary.release(Kind.TEXT, notes.note),
        comments=[_released(each, boundary, "author", "content") for each in notes.comments],
        ratings=[_released(each, boundary, "author") for each in notes.ratings],
    )


def _masked_verdicts(verdicts: Sequence[Verdict], boundary: Boundary) -> list[RunVerdict]:
    """Return verdicts with their texts masked; one that masking makes too long for a reader is cut."""
    reviewers = release_names((each.reviewer for each in verdicts), boundary, MAX_REVIEWER_CHARACTERS)
    checks = release_names((name for each in verdicts for name in each.checks), boundary)
    return [
        RunVerdict.of(each).model_copy(
            update={
                "reviewer": reviewers[each.reviewer],
                "comment": boundary.release(Kind.TEXT, each.comment)[:MAX_COMMENT_CHARACTERS],
                "checks": {checks[name]: result for name, result in each.checks.items()},
            }
        )
        for each in verdicts
    ]


def _released(remark: Remark, boundary: Boundary, *texts: str) -> Remark:
    released = {name: boundary.release(Kind.TEXT, getattr(remark, name)) for name in texts}
    return remark.model_copy(update=released)


def _with_structure(masked: JsonObject, record: JsonObject) -> JsonObject:
    """Return a masked record with the fields that a reader needs as they were."""
    turns = [
        {**own, "run_input": {**own["run_input"], **_kept(turn["run_input"], _OF_INPUT)}}
        for own, turn in zip(masked["input_output_pairs"], record["input_output_pairs"], strict=True)
    ]
    return {**masked, **_kept(record, _OF_RECORD), "input_output_pairs": turns}


def _kept(fields: JsonObject, names: tuple[str, ...]) -> JsonObject:
    return {name: fields[name] for name in names if name in fields}


def write_run_files(
    file: BinaryIO, runs: Iterable[ExportedRun], boundary: Boundary, *, is_single: bool
) -> None:
    """Write run files one after the other: a single one by itself, or all in a ZIP archive.

    Args:
        file: It stays open.
        runs: The runs.
        boundary: Masks their content.
        is_single: Whether it is one run, whose file is written by itself; else they are in a ZIP archive.
    """
    if is_single:
        for run in runs:
            file.write(write_run_file(build_run_file(run, boundary)))
        return
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for run in runs:
            name = f"run-{run.run.workflow_run_id}{SUFFIX}"
            archive.writestr(name, write_run_file(build_run_file(run, boundary)))
