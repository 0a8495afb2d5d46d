"""The command ``test``."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from debugger.cli.affected import find_affected
from debugger.cli.coverage import FailUnder, check_coverage_file, check_share, report_coverage
from debugger.cli.export import (
    INFRASTRUCTURE,
    INTERRUPTED,
    File,
    MaskingRules,
    cancelled_by_signal,
    exit_codes,
    masking_options,
    replaced_file,
    report_files,
    settings_on,
)
from debugger.cli.maintenance import Database, counted
from debugger.cli.output import say
from debugger.errors import DebuggerError, InputError, NotFoundError, extra_advice
from debugger.telemetry.logs import escape_controls

if TYPE_CHECKING:
    from debugger.analysis.side_effects import SideEffect
    from debugger.protocol.workflow import Workflow
    from debugger.scenarios.connections import Connections
    from debugger.scenarios.history import SuiteHistory
    from debugger.scenarios.model import Scenario
    from debugger.scenarios.possible_effects import PossibleEffect
    from debugger.scenarios.reports.masked import Sources
    from debugger.scenarios.reports.texts import RunLink
    from debugger.scenarios.results import ScenarioResult, SuiteRun
    from debugger.scenarios.suite import Case, Execution

FAILED = 1
"""The exit code where a scenario failed or has a mistake."""

_IN_MEMORY = ("sqlite://", "sqlite:///:memory:")
_NODES_SHOWN = 8
_MEANINGS = {
    "talk": "calls to models",
    "read": "calls that read",
    "write": "calls that change something",
    "contact": "messages and calls to people",
    "python": "inline Python",
}

RecordModeName = Literal["none", "once", "new", "all"]


def test(
    paths: Annotated[list[Path], typer.Argument(help="Files, and folders of *.scenario.yaml.")],
    tags: Annotated[
        str, typer.Option(help="Run scenarios with any of these tags, separated by commas.")
    ] = "",
    exclude_tags: Annotated[str, typer.Option(help="Leave out scenarios with any of these tags.")] = "",
    backend: Annotated[
        str | None,
        typer.Option(help="embedded, hosted or a connection's name, instead of the scenarios' own."),
    ] = None,
    repeat: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Repetitions of each scenario; all must pass.")
    ] = None,
    live: Annotated[
        str,
        typer.Option(
            metavar="CLASSES",
            help="Classes of calls to make where scenarios do not name them, as talk,read; the settings must "
            "permit them.",
        ),
    ] = "",
    record_mode: Annotated[
        RecordModeName | None,
        typer.Option(
            help="Of scenarios with recorded answers. none: play them; once: also, or record where no file "
            "is; new: record calls without an answer; all: record anew.",
            show_default="none where CI is set, else once",
        ),
    ] = None,
    bail: Annotated[
        bool, typer.Option("--bail", help="Stop at the first scenario that does not pass.")
    ] = False,
    parallel: Annotated[
        int,
        typer.Option(
            min=1, max=64, help="Scenarios to run in parallel; faster where they wait for a server."
        ),
    ] = 1,
    distributed: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Run on the Dask cluster of this scheduler.")
    ] = "",
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted run; keep the results it has.")
    ] = False,
    failed: Annotated[
        bool, typer.Option("--failed", help="Run only the scenarios that did not pass last time.")
    ] = False,
    affected_by: Annotated[
        str,
        typer.Option(
            metavar="OLD",
            help="Run the scenarios first that the changes since this version affect: a file with a workflow "
            "as JSON, or a stored one, as 'Front desk@3'.",
        ),
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would run.")] = False,
    junit: File = None,
    json: File = None,
    markdown: File = None,
    html: File = None,
    coverage: Annotated[
        str,
        typer.Option(
            metavar="text|FILE",
            help="What of the workflows the runs have covered: text prints it, FILE.html and FILE.json are "
            "reports.",
        ),
    ] = "",
    fail_under: FailUnder = None,
    no_mask: Annotated[
        bool, typer.Option("--no-mask", help="Do not mask personal data in reports; secrets stay masked.")
    ] = False,
    rules: MaskingRules = "",
    hidden: Annotated[
        str, typer.Option("--hide", help="Variables to mask in reports, separated by commas.")
    ] = "",
    max_turns: Annotated[
        int | None, typer.Option(min=0, help="Turns that may be sent to hosted connections.")
    ] = None,
    allow_side_effects: Annotated[
        bool,
        typer.Option("--allow-side-effects", help="Hosted: permit workflows that write or contact people."),
    ] = False,
    production: Annotated[
        bool, typer.Option("--production", help="Hosted: permit a connection to production.")
    ] = False,
    app: Annotated[str, typer.Option(help="The app's address, for links to runs.")] = "http://localhost:8501",
    database: Database = "",
) -> None:
    """Run scenarios and check their expectations.

    Runs and history are stored in the database; sqlite:// stores nothing.

    Exit code 1: one failed or has a mistake, 2: wrong use, 3: a server or the store failed, 130: interrupted.
    """
    from debugger.exports.choices import split_names
    from debugger.scenarios.connections import Connections
    from debugger.scenarios.coverage import suite_coverage
    from debugger.scenarios.history import SuiteHistory
    from debugger.scenarios.preparation import read_classes
    from debugger.scenarios.recordings import default_mode
    from debugger.scenarios.reports.masked import Sources
    from debugger.scenarios.reports.texts import app_link, no_link
    from debugger.scenarios.suite import SuiteExecution, load_cases, select_cases

    with exit_codes():
        files = report_files(junit=junit, json=json, markdown=markdown, html=html)
        check_coverage_file(coverage, files)
        masking = masking_options(rules, hidden, no_mask=no_mask)
        cases = load_cases(paths, connection=backend, repeat=repeat, live=read_classes(live))
        cases = select_cases(cases, split_names(tags), split_names(exclude_tags))
        settings = settings_on(database)
        mode = record_mode or default_mode()
        if distributed:
            mode = _check_distributed(settings.database_url, parallel, record_mode)
        with closing(Connections(settings)) as connections:
            suites = connections.embedded.store.suites
            if failed and not (cases := SuiteHistory(suites, cases).failed_last()):
                raise InputError("No scenario failed last time.", advice="Leave out --failed.")
            if affected_by:
                cases = find_affected(connections, cases, affected_by)
            if dry_run:
                _list(cases)
                sys.exit(FAILED if any(case.mistakes for case in cases) else 0)
            cases = _check_connections(
                connections,
                cases,
                max_turns,
                is_chosen=backend is not None,
                consents=allow_side_effects,
                production=production,
            )
            history = SuiteHistory(suites, cases)
            execution: Execution = SuiteExecution(
                partial(connections.runner, mode), history.record, parallel, bail
            )
            if distributed:
                from debugger.scenarios.distributed import DistributedExecution  # Dask is optional

                execution = DistributedExecution(distributed, settings, history, bail)
            suite = _run(cases, execution, history, settings.author, resume=resume)
            link = no_link if settings.database_url in _IN_MEMORY else app_link(app)
            _print_end(suite, link)
            _print_effects(connections, suite)
            _write_reports(files, suite, Sources(connections.read_run, link, masking))
            versions = suite_coverage(suite, connections.backend) if coverage or fail_under else []
            report_coverage(versions, coverage)
            is_enough = check_share(versions, fail_under)
    sys.exit(_exit_code(suite) or (0 if is_enough else FAILED))


def _run(
    cases: Sequence[Case], execution: Execution, history: SuiteHistory, author: str, *, resume: bool
) -> SuiteRun:
    """Run the cases and print their progress; return the results in the order of the cases.

    To resume keeps the stored results, and runs the other cases. Start and end are stored in the history, the
    end also after an error. A signal ends it early, a second one the process: what has not run is named in
    the result.
    """
    from debugger.scenarios.reports.masked import without_secrets
    from debugger.scenarios.results import SuiteRun

    results = history.resume() if resume else {}
    pending = [case for case in cases if case.id not in results]
    if resume:
        _print(f"{len(results)} results are stored; {len(pending)} scenarios remain.", err=True)
    history.begin(author)
    started, began = time.time(), time.perf_counter()
    cancelled = threading.Event()
    try:
        with cancelled_by_signal(cancelled, second_ends=True):
            for result in _shown(execution.run(pending, cancelled), len(pending)):
                results[result.id] = result
    finally:
        missing = [case.id for case in cases if case.id not in results]
        history.end(is_complete=not missing)
    return SuiteRun(
        history.suite_id,
        started,
        time.perf_counter() - began,
        [without_secrets(results[case.id]) for case in cases if case.id in results],
        missing,
        history.dispositions,
        "interrupted" if cancelled.is_set() else "--bail" if missing else "",
    )


def _print(text: str, *, err: bool = False, **style: Any) -> None:
    """Print lines; where their reader has ended, as ``head`` does, the suite continues without.

    That output then goes nowhere until the process ends.
    """
    try:
        say(text, err=err, **style)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), (sys.stderr if err else sys.stdout).fileno())


def _shown(found: Iterator[tuple[Case, ScenarioResult]], total: int) -> Iterator[ScenarioResult]:
    """Yield results, shown by a bar on a terminal, else line by line.

    The terminal is that of the error output; the lines are on the standard output.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("[red]{task.fields[problems]}"),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task, problems = bar.add_task("", total=total, problems=""), 0
        for _, result in found:
            problems += result.outcome != "passed"
            words = f"{problems} not passed" if problems else ""
            bar.update(
                task, advance=1, description=escape_controls(result.scenario.name)[:40], problems=words
            )
            if not console.is_terminal:
                _print(f"{result.outcome:6}  {escape_controls(result.id)} ({result.seconds:.2f} s)")
            yield result


def _print_end(suite: SuiteRun, link: RunLink) -> None:
    """Print warnings, failures with their whole messages, what was not run, and the summary."""
    from debugger.scenarios.reports.texts import failure_lines, warning_lines

    for result in suite.results:
        for line in warning_lines(result):
            _print(f"Warning: {escape_controls(result.id)}: {line}")
    for result in suite.problems:
        disposition = suite.dispositions.get(result.id)
        mark = f" ({disposition})" if disposition else ""
        _print(
            f"\n{result.outcome.upper()} {escape_controls(result.id)}{mark}", fg=typer.colors.RED, bold=True
        )
        for line in failure_lines(result, link):
            _print(f"  {line}")
    for scenario in suite.not_run:
        _print(f"Not run: {escape_controls(scenario)}")
    colours = typer.colors
    colour = colours.RED if suite.problems else colours.YELLOW if suite.not_run else colours.GREEN
    _print(f"\n{suite.summary}", fg=colour, bold=True)


def _print_effects(connections: Connections, suite: SuiteRun) -> None:
    """Print the calls to the outside that runs on hosted connections have made.

    Prints nothing where they have made none. Reads the runs from their connections.
    """
    from debugger.analysis.side_effects import ledger_of, summary
    from debugger.analysis.side_effects import side_effects as side_effects_of
    from debugger.scenarios.preparation import EMBEDDED

    effects: list[SideEffect] = []
    for result in suite.results:
        if result.scenario.connection != EMBEDDED:
            for repetition in result.repetitions:
                run = connections.read_run(result, repetition.run_id) if repetition.run_id else None
                turns = list(run.turns()) if run else []
                recorded = {key: found for turn, _ in turns for key, found in ledger_of(turn).items()}
                effects += side_effects_of((log for _, log in turns), recorded)
    if effects:
        _print(f"Side effects on hosted connections: {summary(effects)}.")


def _write_reports(files: Mapping[str, Path], suite: SuiteRun, sources: Sources) -> None:
    """Write the reports by kind, and print their sizes on the error output.

    Raises DebuggerError that names each file which cannot be written, after the others are written.
    """
    from debugger.scenarios.reports import REPORTS

    problems = []
    for name, path in files.items():
        try:
            with replaced_file(path, is_private=False) as file:
                REPORTS[name](file, suite, sources)
            _print(f"{path}: {path.stat().st_size} bytes.", err=True)
        except OSError as error:
            problems.append(f"The report {path} cannot be written: {error.strerror or error}.")
    if problems:
        raise DebuggerError("\n".join(problems))


def _check_connections(
    connections: Connections,
    cases: Sequence[Case],
    max_turns: int | None,
    *,
    is_chosen: bool,
    consents: bool,
    production: bool,
) -> list[Case]:
    """Print turns and side effects of hosted scenarios; return the cases, mistakes noted.

    Args:
        connections: The connections.
        cases: The scenarios.
        max_turns: Turns that may be sent to hosted connections.
        is_chosen: Whether the command names the connection, and not each scenario its own.
        consents: Whether workflows may write and contact people.
        production: Whether a connection to production may be used.

    Raises:
        InputError: Something is not permitted, or a class of calls is set live, and an embedded scenario that
            makes such does not say so.
        NotFoundError: There is no connection of the name that the command has.
        SettingsError: A connection cannot be used.
    """
    from debugger.scenarios.possible_effects import CONFIRMED, possible_effects
    from debugger.scenarios.preparation import EMBEDDED, check_calls
    from debugger.scenarios.results import MISTAKES
    from debugger.settings import PRODUCTION

    hosted: dict[str, dict[PossibleEffect, None]] = {}
    mistakes: dict[int, str] = {}
    workflows: list[tuple[Scenario, Workflow]] = []
    with connections.runner() as runner:
        for case in {id(case.loaded): case for case in cases}.values():
            name = case.scenario.connection
            if case.mistakes:
                continue
            if name == EMBEDDED:
                with suppress(*MISTAKES):  # it is the result of this scenario
                    workflows.append((case.scenario, runner.workflow(case.loaded, name).running))
                continue
            try:
                is_production = connections.hosted_settings(name).is_production
            except NotFoundError as error:
                if is_chosen:
                    raise
                mistakes[id(case.loaded)] = str(error)
                continue
            if not production and (name.lower() in PRODUCTION or is_production):
                raise InputError(
                    f"The connection {name} is production. Nothing was sent.",
                    advice="Use --production to permit it.",
                )
            try:
                effects = possible_effects(runner.workflow(case.loaded, name).running)
            except MISTAKES as error:  # the scenario's own error: nothing of it is sent
                mistakes[id(case.loaded)] = str(error)
                continue
            hosted.setdefault(name, {}).update(dict.fromkeys(effects))
    for scenario, workflow in workflows:
        check_calls(scenario, connections.settings, workflow)
    cases = [replace(case, mistakes=mistakes.get(id(case.loaded), case.mistakes)) for case in cases]
    turns = 0
    for name, found in hosted.items():
        own = [case for case in cases if case.scenario.connection == name]
        turns += _turns(own)
        _print(
            f"Connection {name}: {counted(len(own), 'scenario')}, {counted(_turns(own), 'turn')}.", err=True
        )
        for line in _effect_lines(list(found)):
            _print(f"  {escape_controls(line)}", err=True)
    if max_turns is not None and turns > max_turns:
        raise InputError(
            f"{turns} turns would be sent to hosted connections, and --max-turns is {max_turns}.",
            advice="Raise it, or select fewer scenarios.",
        )
    classes = {effect.call_class for found in hosted.values() for effect in found}
    if not consents and not classes.isdisjoint(CONFIRMED):
        raise InputError(
            "The workflows can change something or contact people. Nothing was sent.",
            advice="Use --allow-side-effects to permit it.",
        )
    return cases


def _list(cases: Sequence[Case]) -> None:
    """Print the cases with their turns and connections, or why they cannot be run, and the totals."""
    for case in cases:
        tags = f" [{', '.join(case.scenario.tags)}]" if case.scenario.tags else ""
        name = escape_controls(f"{case.id}{tags}")
        what = f"{counted(case.turns, 'turn')}, {case.scenario.connection}"
        _print(f"{name}: {f'cannot be run: {case.mistakes}' if case.mistakes else what}")
    _print(f"{counted(len(cases), 'scenario')}, {counted(_turns(cases), 'turn')}; nothing was run.")


def _turns(cases: Iterable[Case]) -> int:
    return sum(case.turns for case in cases)


def _effect_lines(effects: Sequence[PossibleEffect]) -> Iterator[str]:
    """Yield the classes of effects with the nodes that can have them.

    Of a class up to `_NODES_SHOWN` nodes are named. Without effects there is one line that says so.
    """
    if not effects:
        yield "No side effect is possible."
    for call_class, meaning in _MEANINGS.items():
        own = [f"{each.node} ({each.what})" for each in effects if each.call_class == call_class]
        if own:
            more = f" and {len(own) - _NODES_SHOWN} more" if len(own) > _NODES_SHOWN else ""
            yield f"Possible: {call_class} ({meaning}): {', '.join(own[:_NODES_SHOWN])}{more}"


def _check_distributed(
    database_url: str, parallel: int, record_mode: RecordModeName | None
) -> RecordModeName:
    """Check that the cases can be run on a cluster; return its record mode, which is ``none``.

    Raises InputError when the package is not installed, the database is no PostgreSQL, `parallel` is not 1,
    or answers are to be recorded.
    """
    if find_spec("distributed") is None:
        raise InputError(
            "--distributed needs the package distributed, which is not installed.",
            advice=extra_advice("dask,postgres"),
        )
    if not database_url.startswith("postgresql"):
        raise InputError(
            "--distributed needs a PostgreSQL database, which workers share.",
            advice="Name it in WORKFLOW_DEBUGGER_DATABASE, here and for each worker.",
        )
    if parallel != 1:
        raise InputError(
            "--parallel is for one machine; --distributed runs as many at once as the workers have threads.",
            advice="Leave out --parallel.",
        )
    if record_mode not in (None, "none"):
        raise InputError(
            f"--record-mode {record_mode} is for one machine; workers play recorded answers only.",
            advice="Record them first, without --distributed.",
        )
    return "none"


def _exit_code(suite: SuiteRun) -> int:
    """Return the exit code: interrupted, else a failure or mistake, else an error of a server, else 0."""
    if suite.reason == "interrupted":
        return INTERRUPTED
    if suite.counts["failed"] or any(result.is_mistake for result in suite.problems):
        return FAILED
    return INFRASTRUCTURE if suite.counts["error"] else 0
