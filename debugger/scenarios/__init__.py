"""Scenarios: conversations with expectations, run and checked without the page.

    >>> from pathlib import Path
    >>> from debugger.scenarios import Connections, load_text
    >>> from debugger.settings import Settings
    >>> scenario = load_text('''
    ... version: 1
    ... name: Welcome
    ... workflow: workflow_tea_welcome
    ... turns: [{expect: [{says: The kettle is on}]}]
    ... ''', Path())
    >>> connections = Connections(Settings(database="sqlite://"))
    >>> with connections.runner() as runner:
    ...     [result.outcome for result in runner.run(scenario)]
    ['passed']
    >>> connections.close()

A `WorkflowRun` is the same for tests in Python, turn by turn. The names in ``__all__`` are public
(``docs/python.md``); all else may change with any version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from debugger.lazy_names import lazy_names

if TYPE_CHECKING:
    from debugger.scenarios.connections import Connections
    from debugger.scenarios.loading import LoadedScenario, find_scenarios, load_scenario, load_text
    from debugger.scenarios.model import Expectation, Scenario, ScenarioTurn
    from debugger.scenarios.python_runs import Checked, WorkflowRun
    from debugger.scenarios.results import CheckResult, RepetitionResult, ScenarioResult
    from debugger.scenarios.runner import ScenarioRun, ScenarioRunner

__all__ = [
    "CheckResult",
    "Checked",
    "Connections",
    "Expectation",
    "LoadedScenario",
    "RepetitionResult",
    "Scenario",
    "ScenarioResult",
    "ScenarioRun",
    "ScenarioRunner",
    "ScenarioTurn",
    "WorkflowRun",
    "find_scenarios",
    "load_scenario",
    "load_text",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "CheckResult": "debugger.scenarios.results",
        "Checked": "debugger.scenarios.python_runs",
        "Connections": "debugger.scenarios.connections",
        "Expectation": "debugger.scenarios.model",
        "LoadedScenario": "debugger.scenarios.loading",
        "RepetitionResult": "debugger.scenarios.results",
        "Scenario": "debugger.scenarios.model",
        "ScenarioResult": "debugger.scenarios.results",
        "ScenarioRun": "debugger.scenarios.runner",
        "ScenarioRunner": "debugger.scenarios.runner",
        "ScenarioTurn": "debugger.scenarios.model",
        "WorkflowRun": "debugger.scenarios.python_runs",
        "find_scenarios": "debugger.scenarios.loading",
        "load_scenario": "debugger.scenarios.loading",
        "load_text": "debugger.scenarios.loading",
    },
)
