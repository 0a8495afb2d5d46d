"""Runs of workflows for tests in Python, with the checks of scenarios."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import decode, encode
from debugger.scenarios.editing import write_yaml
from debugger.scenarios.loading import load_text
from debugger.scenarios.model import Expectation, ScenarioTurn
from debugger.scenarios.results import CheckResult
from debugger.scenarios.runner import ScenarioRun, ScenarioRunner


class Checked:
    """A check's result: true where it passed; its ``repr`` is the whole message."""

    def __init__(self, result: CheckResult) -> None:
        self.result = result

    def __bool__(self) -> bool:
        return self.result.passed

    def __repr__(self) -> str:
        return f"<{self.result.text}>"


class WorkflowRun:
    """A run of a workflow, turn by turn.

    Checks are of the last turn, and with ``at_end=True`` of the whole run. Their arguments are those of the
    expectations in scenario files.

    Args:
        runner: The runner.
        folder: The folder to which paths are relative.
        workflow: A JSON file, an id, a logical id or a name.
        fields: Other fields of a scenario, such as ``script``, ``clock``, ``seed``, ``input`` and ``mocks``.
    """

    def __init__(self, runner: ScenarioRunner, folder: Path, workflow: str, **fields: Any) -> None:
        document = {"version": 1, "name": "Python", "workflow": str(workflow), "turns": [{}], **fields}
        # As YAML: errors are the same as for a file.
        text = write_yaml(decode(encode(document)))
        self._run: ScenarioRun = runner.start(load_text(text, folder))

    @property
    def run_id(self) -> str | None:
        """Return the run's id; ``None`` before the first turn."""
        return self._run.run_id

    @property
    def path(self) -> str:
        """Return the nodes and edges of the run, in words."""
        return self._run.path

    def begin(self) -> None:
        """Execute a first turn without a message."""
        self._run.take_turn(ScenarioTurn())

    def say(self, text: str) -> None:
        """Execute a turn with a message of the user."""
        self._run.take_turn(ScenarioTurn(say=text))

    def send(self, run_input: JsonObject) -> None:
        """Execute a turn with a run input of the API."""
        self._run.take_turn(ScenarioTurn(send=run_input))

    def advance(self, steps: int = 1) -> None:
        """Execute steps of background work."""
        self._run.take_turn(ScenarioTurn(advance=steps))

    def says(self, contains: str | None = None, *, at_end: bool = False, **match: Any) -> Checked:
        """Return whether a message of the agent fits: ``equals=``, ``regex=``, ``similar=``, ``not=``."""
        return self.check(at_end=at_end, says=match if contains is None else contains)

    def reached(self, *nodes: str, at_end: bool = False) -> Checked:
        """Return whether all these nodes ran."""
        return self.check(at_end=at_end, reached=list(nodes))

    def variable(self, name: str, **comparison: Any) -> Checked:
        """Return whether a variable compares, as in ``variable("runtime.day", equals="Monday")``."""
        return self.check(variable={"name": name, **comparison})

    def has_status(self, status: str) -> Checked:
        """Return whether the run has a status, such as ``completed``."""
        return self.check(status=status)

    def check(self, *, at_end: bool = False, **expectation: Any) -> Checked:
        """Return whether an expectation of any kind holds, as in ``check(path=["Greeting", "..."])``."""
        made = Expectation.model_validate(expectation)
        return Checked(self._run.check(made, is_at_end=at_end))
