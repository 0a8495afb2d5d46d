"""One run as a file: its record, its workflow, its notes and its verdicts."""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationError

from debugger.errors import InputError, WorkflowError
from debugger.protocol.base import JsonObject, WireModel, check_id, first_problem
from debugger.protocol.file_limits import RUN_FILE
from debugger.protocol.json_codec import decode, json_bytes
from debugger.protocol.notes import RunNotes
from debugger.protocol.reviews import RunVerdict, check_verdict, target_words
from debugger.protocol.runs import Run, unwrap_run
from debugger.protocol.turn_logs import turn_logs
from debugger.protocol.workflow import Workflow

FORMAT = "workflow-debugger-run"
FORMAT_VERSION = 1
"""Counts up when an older program could no longer read what is written."""

_NO_GRAPH: JsonObject = {"node_configs": [], "edge_configs": []}


class RunFile(WireModel):
    """The content of a run file."""

    format: str = FORMAT
    format_version: int = FORMAT_VERSION
    exported_at: str = ""
    """ISO 8601, UTC."""
    engine: str = ""
    """What ran it, as people know it."""
    masking: str = ""
    """Whether personal data was masked, for those who read the file; an import passes it over."""
    run: JsonObject
    """The record (``platform.md#run-record``), not wrapped."""
    workflow: JsonObject = Field(default_factory=lambda: dict(_NO_GRAPH))
    """The fully hydrated document of the version that ran; without nodes where it was not available."""
    notes: RunNotes = Field(default_factory=RunNotes)
    verdicts: list[RunVerdict] = Field(default_factory=list)
    """Verdicts of reviewers, one of each on a target; written where there are any."""

    def record(self) -> Run:
        """Return the run."""
        return unwrap_run(self.run)

    def graph(self) -> Workflow:
        """Return the workflow."""
        return Workflow.from_document(self.workflow)


def write_run_file(file: RunFile) -> bytes:
    """Encode a run file."""
    return json_bytes(file.model_dump(mode="json", exclude=None if file.verdicts else {"verdicts"}))


def read_run_file(data: bytes) -> RunFile:
    """Read one of our files, or a run's record from the API.

    Raises:
        InputError: It is neither, is too large, or a newer program wrote it; the message says what is wrong.
    """
    RUN_FILE.check(data)
    RUN_FILE.check_json(data)
    try:
        found = decode(data)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"The file is not JSON: {error}.", advice="Choose a run file from the export."
        ) from error
    file = _file_in(found)
    _check_parts(file)
    return file


def _file_in(found: Any) -> RunFile:
    """Return the run file in a JSON value, also in the record of a run as the API wraps it.

    A record without a document gets one without nodes. Raises InputError when it is neither, is of another
    format version, or has a field that is not valid.
    """
    if not isinstance(found, dict) or (found.get("format") != FORMAT and "workflow_run" not in found):
        raise InputError(
            f"The file is JSON, but not a run: its “format” is not {FORMAT!r}.",
            advice="Choose a run file from the export; the page Debug imports workflows.",
        )
    if found.get("format") != FORMAT:
        run = unwrap_run(found)
        return RunFile(run=run.to_wire(), workflow=run.workflow_config_fully_hydrated or dict(_NO_GRAPH))
    version = found.get("format_version")
    if version != FORMAT_VERSION:
        raise InputError(
            f"The file has format version {version!r}, and this program reads version {FORMAT_VERSION}.",
            advice="Open it with the version of Workflow Debugger that wrote it, or a newer one.",
        )
    try:
        return RunFile.model_validate(found)
    except ValidationError as error:
        raise InputError(f"The file of the run cannot be used: {first_problem(error)}.") from error


def _check_parts(file: RunFile) -> None:
    """Read every part once, so that errors come before anything is shown.

    Raises InputError when an id, the run, an event, the workflow or a verdict cannot be read.
    """
    try:
        run = file.record()
        check_id("run", run.workflow_run_id)
        check_id("workflow", run.workflow_id)
        turn_logs(run)
        file.graph()
        _check_verdicts(file.verdicts)
    except (InputError, WorkflowError, ValidationError, TypeError, AttributeError) as error:
        raise InputError(
            f"The file of the run cannot be used: {error}", advice="It was changed after it was exported."
        ) from error


def _check_verdicts(verdicts: list[RunVerdict]) -> None:
    """Raise InputError at a malformed verdict, or a second one of its reviewer; the message has its place."""
    seen = set[tuple[str, str, str]]()
    for place, verdict in enumerate(verdicts):
        try:
            check_verdict(verdict)
        except InputError as error:
            raise InputError(f"verdicts.{place}: {error.message}") from error
        key = verdict.reviewer, verdict.target.kind, verdict.target.key
        if key in seen:
            words = target_words(verdict.target)
            raise InputError(f"verdicts.{place}: {verdict.reviewer} has another verdict on {words}.")
        seen.add(key)
