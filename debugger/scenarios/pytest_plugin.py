"""The pytest plugin: collects ``*.scenario.yaml``, and has the fixture ``workflow_run``.

Every pytest process of an installation imports it, so it imports the rest of the product when it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from debugger.scenarios.connections import Connections
    from debugger.scenarios.python_runs import WorkflowRun
    from debugger.scenarios.reports.texts import RunLink
    from debugger.scenarios.results import ScenarioResult
    from debugger.scenarios.runner import ScenarioRunner
    from debugger.scenarios.suite import Case

_SUFFIX = ".scenario.yaml"
_NO_MARKER = re.compile(r"[^\w.+-]")


class ScenarioFailure(Exception):
    """An exception for a scenario that did not pass.

    Args:
        result: The result.
    """

    def __init__(self, result: ScenarioResult) -> None:
        super().__init__(result.id)
        self.result = result


class _World:
    """The store and runner of a process, opened when the first scenario runs."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @cached_property
    def connections(self) -> Connections:
        """The backends, on the store of the option or one in memory."""
        from debugger.scenarios.connections import Connections
        from debugger.settings import read_settings

        url = self._config.getoption("scenario_database") or "sqlite://"
        return Connections(read_settings().model_copy(update={"database": url}))

    @cached_property
    def runner(self) -> ScenarioRunner:
        """The runner of all scenarios of the process, on the store of the connections."""
        from debugger.scenarios.recordings import default_mode

        return self.connections.runner(self._config.getoption("scenario_record_mode") or default_mode())

    @property
    def link(self) -> RunLink:
        """The links to runs, which only a database that stays can have."""
        from debugger.scenarios.reports.texts import app_link, no_link

        has_database = bool(self._config.getoption("scenario_database"))
        return app_link(self._config.getoption("scenario_app")) if has_database else no_link

    def close(self) -> None:
        """Close what was opened."""
        if "connections" in vars(self):
            self.connections.close()


_WORLD = pytest.StashKey[_World]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of scenarios."""
    group = parser.getgroup("scenarios", "scenarios of workflows (*.scenario.yaml)")
    group.addoption(
        "--scenario-database",
        default="",
        metavar="URL",
        help="Store of the runs, for links into the app; by default they are in memory.",
    )
    group.addoption(
        "--scenario-backend",
        default=None,
        metavar="NAME",
        help="embedded, hosted or a connection's name, instead of the scenarios' own.",
    )
    group.addoption(
        "--scenario-live",
        default="",
        metavar="CLASSES",
        help="Classes of calls to make where scenarios do not name them: talk, read, write, contact.",
    )
    group.addoption(
        "--scenario-record-mode",
        default=None,
        choices=("none", "once", "new", "all"),
        help="Recorded answers are played (none), recorded where no file is (once), where a call has no "
        "answer (new), or anew (all); by default none where CI is set, else once.",
    )
    group.addoption(
        "--scenario-app",
        default="http://localhost:8501",
        metavar="ADDRESS",
        help="The app's address, for links to runs.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Prepare what all scenarios of this process share."""
    config.stash[_WORLD] = _World(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close the store."""
    if _WORLD in config.stash:
        config.stash[_WORLD].close()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
    """Collect scenario files."""
    return ScenarioFile.from_parent(parent, path=file_path) if file_path.name.endswith(_SUFFIX) else None


class ScenarioFile(pytest.File):
    """A scenario file."""

    def collect(self) -> Iterator[ScenarioItem]:
        """Yield an item for each row; a file with mistakes is one item, which fails.

        Raises:
            CollectError: The option of live calls names no class.
        """
        from debugger.errors import InputError
        from debugger.scenarios.preparation import read_classes
        from debugger.scenarios.suite import read_cases
        from debugger.telemetry.logs import escape_controls

        try:
            live = read_classes(self.config.getoption("scenario_live"))
        except InputError as error:
            raise self.CollectError(escape_controls(str(error), is_one_line=False)) from None
        backend = self.config.getoption("scenario_backend")
        for case in read_cases(self.path, connection=backend, live=live):
            name = escape_controls(case.id.partition("::")[2])
            yield ScenarioItem.from_parent(self, name=name, case=case)


class ScenarioItem(pytest.Item):
    """A scenario with one row."""

    def __init__(self, *, case: Case, **arguments: Any) -> None:
        """Mark the item with the scenario's tags, those that can be markers, and register them."""
        super().__init__(**arguments)
        self._case = case
        for tag in case.scenario.tags:
            name = _NO_MARKER.sub("_", tag).lstrip("_")
            if name:
                self.config.addinivalue_line("markers", f"{name}: a tag of scenarios")
                self.add_marker(name)

    def runtest(self) -> None:
        """Run the scenario; report the ids of its runs as user properties, and its warnings as a section.

        Raises:
            ScenarioFailure: It did not pass.
        """
        import threading

        from debugger.scenarios.reports.masked import without_secrets
        from debugger.scenarios.reports.texts import warning_lines

        found = self._case.run(self.config.stash[_WORLD].runner, threading.Event())
        assert found is not None
        result = without_secrets(found)
        self.user_properties += [("run_id", each.run_id) for each in result.repetitions if each.run_id]
        if warnings := "\n".join(warning_lines(result)):
            self.add_report_section("call", "scenario warnings", warnings)
        if result.outcome != "passed":
            raise ScenarioFailure(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return why the scenario did not pass, without a traceback.

        Any other exception is shown as pytest does.
        """
        if not isinstance(excinfo.value, ScenarioFailure):
            return super().repr_failure(excinfo, style)
        from debugger.scenarios.reports.texts import failure_lines, failure_summary
        from debugger.telemetry.logs import escape_controls

        result = excinfo.value.result
        # pytest's own summary shows the first line.
        lines = [failure_summary(result), *failure_lines(result, self.config.stash[_WORLD].link)]
        return escape_controls("\n".join(lines), is_one_line=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the file, and the name in the heading of a failure."""
        return self.path, 0, f"scenario: {self.name}"


@pytest.fixture
def workflow_run(request: pytest.FixtureRequest) -> Iterator[Callable[..., WorkflowRun]]:
    """Return a function that starts a run of a workflow, by the path of its JSON file or its name.

    Paths are relative to the test's file.
    """
    from debugger.scenarios.python_runs import WorkflowRun

    with request.config.stash[_WORLD].connections.runner() as runner:
        yield lambda workflow, **fields: WorkflowRun(runner, request.path.parent, workflow, **fields)
