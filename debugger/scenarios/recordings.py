"""Recorded answers of scenarios: played in the place of calls, and recorded."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, get_args

from debugger.engine.mocks.recording import CallRecorder, OnMiss
from debugger.engine.mocks.recording_file import SUFFIX, Recording
from debugger.errors import InputError
from debugger.protocol.workflow import Workflow
from debugger.scenarios.loading import LoadedScenario
from debugger.store.edited_files import file_revision, write_file
from debugger.store.edited_tables import NEVER_WRITTEN

RecordMode = Literal["none", "once", "new", "all"]
"""``none``: recorded answers are played. ``once``: also, and recorded where there is no file. ``new``: calls
without a recorded answer are made and recorded. ``all``: all calls are made and recorded anew."""
RECORD_MODES: tuple[RecordMode, ...] = get_args(RecordMode)


def default_mode(environment: Mapping[str, str] = os.environ) -> RecordMode:
    """Return the mode where none is chosen: ``none`` in CI, else ``once``."""
    is_ci = environment.get("CI", "").lower() not in ("", "0", "false", "no")
    return "none" if is_ci else "once"


def recording_path(loaded: LoadedScenario, row_number: int | None) -> Path | None:
    """Return the file of a case's recorded answers: with rows ``NAME.ROW.recording.jsonl``.

    ``None`` where the scenario names none.
    """
    name = loaded.scenario.recording
    if name is None:
        return None
    row = "" if row_number is None else f".{row_number}"
    return loaded.path.parent / f"{name.removesuffix(SUFFIX)}{row}{SUFFIX}"


@dataclass(frozen=True)
class CaseRecording:
    """The recorded answers of one repetition of a case."""

    path: Path
    recorder: CallRecorder
    """The recorder of the run."""
    plays: bool
    """True where a call without a recorded answer is a failed check or a warning."""
    is_kept: bool
    """True where the calls of the run are written to the file."""
    revision: int
    """The revision of the file when the run began."""

    @classmethod
    def open(
        cls, loaded: LoadedScenario, row_number: int | None, mode: RecordMode, *, is_first: bool
    ) -> Self | None:
        """Return the recorded answers for one repetition; ``None`` where the scenario names none.

        Args:
            loaded: The scenario.
            row_number: The row, from 1; ``None`` without rows.
            mode: What is played and recorded.
            is_first: Whether it is the first repetition, the only one that is recorded.

        Raises:
            InputError: They cannot be read, or are to be played and not there.
        """
        path = recording_path(loaded, row_number)
        if path is None:
            return None
        try:
            revision = file_revision(path)
        except OSError as error:
            raise InputError(
                f"The recorded answers {path} cannot be read: {error.strerror or error}.",
                advice="Name a file that can be read.",
            ) from error
        if mode != "none" and not path.parent.is_dir():
            raise InputError(
                f"The folder of the recorded answers {path} is not there.", advice="Make it, or name another."
            )
        if mode == "all" or revision == NEVER_WRITTEN:
            if mode == "none":
                raise InputError(
                    f"The recorded answers {path} are not there.",
                    advice=f"Record them: workflow-debugger test --record-mode once {loaded.path}.",
                )
            return cls(path, CallRecorder(), plays=False, is_kept=is_first, revision=revision)
        recorded = Recording.load(path)
        if mode == "new":
            return cls(path, recorded.player("live"), plays=False, is_kept=is_first, revision=revision)
        on_miss: OnMiss = loaded.scenario.on_miss
        if mode == "none" and on_miss == "live":
            on_miss = "stop"
        return cls(path, recorded.player(on_miss), plays=True, is_kept=False, revision=revision)

    def keep(self, workflow: Workflow) -> None:
        """Write the file, if it is to be recorded and calls were made.

        Raises:
            EditConflictError: Another run has recorded it since this one began.
            InputError: It is too large, or cannot be written.
        """
        if not self.is_kept or (self.recorder.plays and not self.recorder.misses):
            return
        text = Recording.of_run(self.recorder, workflow).to_text()
        try:
            write_file(self.path, text, self.revision, subject=f"The file of recorded answers {self.path}")
        except OSError as error:
            raise InputError(
                f"The recorded answers {self.path} cannot be written: {error.strerror or error}.",
                advice="Make room and see that the folder can be written; the old answers are kept.",
            ) from error
