"""The state of scenarios in one tab."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from debugger.errors import InputError
from debugger.scenarios.opening import OpenedScenario, UploadedScenario
from debugger.scenarios.proposal import ScenarioDraft
from debugger.session.session import DebugSession
from debugger.views import state

SCENARIO_VIEW = "Scenario"
"""The view of the lower pane that has the checks."""


@dataclass
class ScriptEdit:
    """A script that is edited, until it is saved or its changes are discarded."""

    stored: str
    """The text that the editor began with."""
    text: str
    """What is typed."""

    @property
    def is_changed(self) -> bool:
        """Return whether something is typed that was not saved."""
        return self.text != self.stored


@dataclass
class ScenarioRecord:
    """The scenarios of one tab."""

    draft: ScenarioDraft | None = None
    """The scenario that is being saved; ``None`` while the dialog is closed."""
    masks: bool = False
    """Whether personal data in the draft is masked."""
    freezes_clock: bool = False
    """Whether the draft's clock is frozen at the run's begin."""
    chosen: int | None = None
    """The chosen expectation of the draft, by its place."""
    generation: int = 0
    """Counts how often controls got values from elsewhere; part of their keys."""
    is_opening: bool = False
    """Whether the dialog that opens a file is on view."""
    uploaded: list[UploadedScenario] = field(default_factory=list)
    """The scenarios of the files that were uploaded last."""
    refused: list[InputError] = field(default_factory=list)
    """Why files among them cannot be opened."""
    file_ids: tuple[str, ...] = ()
    """Those files."""
    script_of: str | None = None
    """The workflow whose script is on view, by its logical id, else its id; ``None`` while none is."""
    scripts: dict[str, ScriptEdit] = field(default_factory=dict)
    """The edited scripts by their workflows; they outlive the dialog."""
    script_file: str = ""
    """The file that it was uploaded from."""
    opened: OpenedScenario | None = None
    """The scenario that was opened last, with its session."""


def scenario_of(session: DebugSession) -> OpenedScenario | None:
    """Return the scenario that a session was opened from; ``None`` without one."""
    opened = state.record(ScenarioRecord).opened
    return opened if opened is not None and opened.session is session else None


def scenario_state() -> Hashable:
    """Return what the dialogs show besides the run."""
    held = state.record(ScenarioRecord)
    return id(held.draft), held.is_opening, held.script_of, id(held.opened)
