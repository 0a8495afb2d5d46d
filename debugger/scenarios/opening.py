"""Scenarios opened as sessions: sent up to a turn, continued by hand, checked meanwhile."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from debugger.analysis.event_fields import text as event_text
from debugger.analysis.side_effects import ledgers
from debugger.analysis.thread_positions import ThreadPositions
from debugger.backends.base import Backend, TurnStream
from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.environment import Environment
from debugger.engine.models.yaml_lines import read_yaml
from debugger.errors import DebuggerError, InputError
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import TERMINAL_STATUSES, TurnInput, TurnResult
from debugger.protocol.turn_logs import TurnLog
from debugger.scenarios.checks import check
from debugger.scenarios.conversation import CheckedWorkflow, Conversation
from debugger.scenarios.editing import read_plain
from debugger.scenarios.expectation_rows import Proposal, parse_expectation
from debugger.scenarios.judging import ConversationJudge
from debugger.scenarios.loading import SUFFIX, LoadedScenario, is_path, load_text
from debugger.scenarios.model import Scenario
from debugger.scenarios.preparation import (
    FrozenClock,
    check_abilities,
    check_calls,
    find_workflow,
    mock_set,
    scenario_settings,
    turn_input,
)
from debugger.scenarios.proposal import ScenarioDraft
from debugger.scenarios.results import CheckResult
from debugger.session.input_replay import InputReplay
from debugger.session.session import DebugSession
from debugger.settings import Settings

MAX_FILES = 200
"""Files that are uploaded together, at most."""
_PATHS = ("script", "rows", "recording")
"""Keys whose texts are paths of files."""


@dataclass(frozen=True)
class UploadedScenario:
    """A scenario out of uploaded files."""

    loaded: LoadedScenario
    note: str = ""
    """What of it is not as the file says, as a sentence."""

    @property
    def label(self) -> str:
        """Return its name with the number of its turns."""
        return f"{self.loaded.scenario.name} ({len(self.loaded.scenario.turns)} turns)"


class Uploads(NamedTuple):
    """The content of files that were uploaded together."""

    scenarios: list[UploadedScenario]
    errors: list[InputError]
    """Why files among them cannot be opened, each with its name."""


def read_uploads(files: Mapping[str, bytes], workflow: str) -> Uploads:
    """Return the scenarios among files that were uploaded together; a file with mistakes stops no other.

    Files that cannot be written or opened are among the errors. All are read from a folder that is deleted
    again.

    Args:
        files: The contents by name: scenarios, and the scripts, tables and workflows that they name.
        workflow: The id that replaces the path of a workflow that is not among them.

    Raises:
        InputError: There is no scenario among them, and no error to tell.
    """
    found = Uploads([], [])
    with tempfile.TemporaryDirectory() as folder:
        paths: dict[str, Path] = {}
        for name, content in files.items():
            path = Path(folder) / Path(name).name
            try:
                path.write_bytes(content)
                paths[name] = path
            except (OSError, ValueError):  # a forged request may name a file anything
                found.errors.append(
                    InputError(
                        f"No file can have the name {name[:80]!a}.", advice="Rename it, and choose it again."
                    )
                )
        for name, path in paths.items():
            if name.lower().endswith((".yaml", ".yml")) and not name.lower().endswith(".script.yaml"):
                try:
                    found.scenarios.append(_read_upload(path, files[name], workflow))
                except InputError as error:
                    found.errors.append(error)
    if not found.scenarios and not found.errors:
        raise InputError("There is no scenario among the files.", advice=f"Choose a file NAME{SUFFIX}.")
    return found


def _read_upload(path: Path, content: bytes, workflow: str) -> UploadedScenario:
    """Return the scenario of an uploaded file; paths in it are read as names of files beside it.

    Where the workflow's file is not among them, the id given stands for it, with a note.

    Raises:
        InputError: The file is not UTF-8 or has mistakes; its folder is not named.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"The file {path.name} is not UTF-8.", advice="Save it as UTF-8.") from error
    note = ""
    try:
        root = read_yaml(text)
    except InputError:  # the loader says what is wrong with it
        root = None
    if root is not None and isinstance(root.value, dict):
        values = {key: inner.value for key, inner in root.value.items()}
        own = {key: Path(value).name for key in _PATHS if isinstance(value := values.get(key), str)}
        named = values.get("workflow")
        if isinstance(named, str) and is_path(named):
            own["workflow"] = Path(named).name
            if workflow and not (path.parent / own["workflow"]).is_file():
                note = f"The workflow on view takes the place of {named}."
                own["workflow"] = workflow
        changed = {key: replace(root.value[key], value=name, written=name) for key, name in own.items()}
        root = replace(root, value={**root.value, **changed})
    try:
        loaded = load_text(text, path.parent, path=path, is_confined=True, root=root)
    except InputError as error:
        message = error.message.replace(f"{path.parent.as_posix()}/", "")
        raise InputError(message, advice=error.advice or "Correct it, and choose the file again.") from error
    return UploadedScenario(replace(loaded, path=Path(path.name)), note)


@dataclass(frozen=True)
class TurnChecks:
    """The checks of one turn of a scenario, or of its end."""

    number: int | None
    """The turn, from 1; ``None`` at the end."""
    words: str
    """What is said or sent."""
    is_over: bool
    """Whether the session has the turn."""
    checks: list[CheckResult] = field(default_factory=list)
    error: str = ""
    """Why it could not be checked."""
    first_event: int | None = None


class OpenedScenario:
    """A scenario and the session that it was opened as.

    Args:
        uploaded: The scenario.
        case: The scenario with the values of one row.
        session: The session.
        workflow: The names that expectations may use.
        settings: Those by which a model judges.
    """

    def __init__(
        self,
        uploaded: UploadedScenario,
        case: Scenario,
        session: DebugSession,
        workflow: CheckedWorkflow,
        settings: Settings,
    ) -> None:
        """Hold scenario and session; no turn is sent yet."""
        self.loaded = uploaded.loaded
        self.case = case
        self.session = session
        self._workflow = workflow
        self._settings = settings
        self._first = 0
        """How many turns were sent before the last replay."""
        self._replay: InputReplay | None = None
        self._known: tuple[Any, list[TurnChecks]] | None = None

    @cached_property
    def content(self) -> JsonObject:
        """The content of the file."""
        found: JsonObject = read_plain(self.loaded.text)
        return found

    @property
    def sent(self) -> int:
        """Return how many turns of the scenario were sent, one of background work once all its steps are."""
        left = self._replay.done if self._replay is not None else 0
        sent = self._first
        while sent < len(self.case.turns) and left >= (self.case.turns[sent].advance or 1):
            left -= self.case.turns[sent].advance or 1
            sent += 1
        return sent

    def replay(self, up_to: int) -> InputReplay:
        """Return a replay of the turns that were not sent, up to a number, which stops after a failure.

        It takes the place of the replay before; nothing is sent until it is advanced.

        Args:
            up_to: The number of the last turn to send.
        """
        self._first = self.sent
        inputs: list[TurnInput | None] = []
        for place, turn in enumerate(self.case.turns[self._first : up_to], start=self._first):
            if turn.advance is None:
                inputs.append(turn_input(self.case, turn, is_first=place == 0))
            else:
                inputs += [None] * turn.advance
        self._replay = InputReplay(self.session, inputs, stop_reason=self._failed_turn)
        return self._replay

    def failure(self) -> CheckResult | None:
        """Return the first hard check that failed."""
        return _first_failure(self.checks())

    def _failed_turn(self) -> str:
        failed = _first_failure(self._checked(self.session.turns))
        return f"Turn {failed.turn} is not as expected: the next ones were not sent." if failed else ""

    def checks(self) -> list[TurnChecks]:
        """Return the checks of all turns and of the end, with results for those that the session has.

        A turn that is still running is not checked. They are computed again only when the session has
        changed.
        """
        session = self.session
        key = session.event_count, len(session.turns), session.status, self.sent
        if self._known is None or self._known[0] != key:
            self._known = key, self._checked(self._finished_turns)
        return self._known[1]

    def check_end(self) -> TurnChecks:
        """Return the checks of the end on all finished turns, those that were said by hand among them."""
        run = _SessionRun(self._workflow, self.session, self._finished_turns, self._settings)
        run.take_all()
        return run.check(None, "", self.case.expect, 0)

    @property
    def _finished_turns(self) -> Sequence[TurnLog]:
        session = self.session
        return session.turns[:-1] if session.busy and session.turns else session.turns

    def _checked(self, logs: Sequence[TurnLog]) -> list[TurnChecks]:
        """Return the checks of all turns on some logs, and of the end if something is expected then.

        Turns that are not there yet are not over. From one that was said otherwise by hand on none is
        checked.
        """
        session = self.session
        run = _SessionRun(self._workflow, session, logs, self._settings)
        found: list[TurnChecks] = []
        has_left = ""
        for number, turn in enumerate(self.case.turns, start=1):
            words = turn.say or (f"{turn.advance} steps of background work" if turn.advance else "no message")
            first = None
            if not has_left:
                first = run.add_background_turns() if turn.advance is not None else run.take_turn()
            is_under_way = turn.advance is not None and number > self.sent and run.is_at_end
            if first is None or is_under_way:
                found.append(TurnChecks(number, words, is_over=False, error=has_left))
                continue
            if turn.say is not None and logs[first].message != turn.say:
                has_left = f"Turn {number} was another one, said by hand: it is not checked."
                found.append(TurnChecks(number, words, is_over=False, error=has_left))
                continue
            found.append(run.check(number, words, turn.expect, first))
        is_over = bool(found) and found[-1].is_over
        if self.case.expect:
            found.append(
                run.check(None, "", self.case.expect, 0)
                if is_over
                else TurnChecks(None, "", is_over=False, error=has_left)
            )
        return found


def _first_failure(turns: Sequence[TurnChecks]) -> CheckResult | None:
    checks = (check for turn in turns for check in turn.checks)
    return next((check for check in checks if check.is_failure), None)


class _SessionRun:
    """The turns of a session, taken one by one for checks."""

    def __init__(
        self, workflow: CheckedWorkflow, session: DebugSession, logs: Sequence[TurnLog], settings: Settings
    ) -> None:
        """Begin before the first turn; ledgers are read from the backend on demand.

        There are none for a run without an id.
        """
        self._session = session
        self._logs = logs
        self._place = 0
        self._positions = ThreadPositions()
        run_id = session.run_id
        self._run = Conversation(workflow, lambda: ledgers(session.backend.run(run_id)) if run_id else {})
        self._judge = ConversationJudge(settings)

    @property
    def is_at_end(self) -> bool:
        """Return whether all turns are taken."""
        return self._place == len(self._logs)

    def take_turn(self) -> int | None:
        """Add the user's next turn, and background work before it; return its place."""
        self.add_background_turns()
        return None if self.is_at_end else self._add()

    def take_all(self) -> None:
        """Add all turns that are left, with the background work between them."""
        while not self.is_at_end:
            self._add()

    def add_background_turns(self) -> int:
        """Add background work up to the next turn; return the index of its first log."""
        first = self._place
        while self._place < len(self._logs) and self._logs[self._place].is_background:
            self._add()
        return first

    def _add(self) -> int:
        """Add the next turn of the run to positions and conversation; return its index.

        Raises `IndexError` where the run has no more turns.
        """
        log = self._logs[self._place]
        self._place += 1
        self._positions.add_turn(log)
        self._run.add(log, self._result(log))
        return self._place - 1

    def _result(self, log: TurnLog) -> TurnResult:
        """Return the result of a turn, read from its events.

        The session's last turn has the session's status.
        """
        waiting = self._positions.main.waiting
        status = self._positions.status
        if self._place == len(self._logs) and self._logs[-1] is self._session.turns[-1]:
            status = self._session.result.status if self._session.result else self._session.status
        failure = next((event for event in log.events if event.type == "workflow_error"), None)
        return TurnResult(
            run_id=self._session.run_id or "",
            status=status,
            turn_number=log.number,
            is_waiting_for_input=waiting is not None,
            is_completed=status in TERMINAL_STATUSES,
            error=(event_text(failure, "error_message") or failure.summary) if failure else None,
            next_input_hint=waiting.to_wire() if waiting else None,
            has_background_work=self._session.background.has_work,
        )

    def check(self, number: int | None, words: str, expected: Sequence[Any], first: int) -> TurnChecks:
        """Return the checks of a turn, or of the whole run; an error ends them and is noted.

        Args:
            number: The turn, from 1; ``None`` at the end.
            words: What is said or sent.
            expected: The expectations.
            first: The index of the first log that they are about.
        """
        scope = self._run.scope(number, first_log=first)
        found = TurnChecks(number, words, True, first_event=scope.first_event)
        try:
            for each in expected:
                found.checks.append(check(each, self._run, scope, self._judge))
        except DebuggerError as error:
            return replace(found, error=str(error))
        return found


class _FrozenBackend(EmbeddedBackend):
    """An embedded engine whose clock moves on when background work is awaited."""

    clock: FrozenClock
    next_due: Callable[[], float | None]

    def pump(self, *args: Any, **options: Any) -> TurnStream:
        """See `Backend.pump`."""
        due = self.next_due()
        if due is not None:
            self.clock.move_to(due)
        return super().pump(*args, **options)


def open_scenario(
    uploaded: UploadedScenario, case: Scenario, backend: Backend, on_view: DebugSession | None = None
) -> OpenedScenario:
    """Return a scenario's session; nothing is sent yet.

    Args:
        uploaded: The scenario.
        case: The scenario with the values of one row.
        backend: Where it runs. Of the embedded engine the session has one of its own on the same store, with
            the scenario's policies for calls, clock, seed and script.
        on_view: The session whose workflow is meant where several have the scenario's logical id.

    Raises:
        InputError: The backend cannot do what the scenario needs, it plays recorded answers, the workflow
            lacks a node of a mock, or the settings want live calls that the scenario does not name.
        NotFoundError: There is no such workflow.
    """
    loaded = uploaded.loaded
    if case.recording is not None:
        raise InputError(
            f"The scenario {case.name!r} plays recorded answers, which a run on the page does not.",
            advice="Run it on the page Suites or by the command test, or remove 'recording' from it.",
        )
    check_abilities(case, "embedded" if isinstance(backend, EmbeddedBackend) else "hosted")
    named = loaded.document.config.logical_id if loaded.document is not None else case.workflow
    is_on_view = on_view is not None and named == on_view.workflow.config.logical_id
    workflow_id = on_view.workflow_id if on_view and is_on_view else find_workflow(named, backend)
    clock, settings = FrozenClock(), Settings()
    if isinstance(backend, EmbeddedBackend):
        settings = backend.settings
        clock.freeze(case.clock)
        world = Environment(now=clock.now, sleep=clock.sleep)
        world.random.seed(case.seed)
        script = {"script": loaded.script, "model": None} if loaded.script else {}
        own = scenario_settings(case, settings)
        backend = backend.variant(_FrozenBackend, own, world=world, recorded_answers_win=True, **script)
        backend.clock, backend.next_due = clock, lambda: None
    version = case.workflow_version
    if version is None:
        version = next(
            (each.version_number for each in backend.versions(workflow_id) if each.is_active), None
        )
    session = DebugSession(backend, workflow_id, version, now=clock.now)
    if isinstance(backend, _FrozenBackend):
        backend.next_due = lambda: session.result.next_due if session.result else None
    workflow = CheckedWorkflow.expanded(session.workflow, backend.workflow)
    if isinstance(backend, _FrozenBackend):
        check_calls(case, settings, workflow.running)
    for mock in mock_set(case.mocks, workflow).all:
        session.mocks.put(mock)
    return OpenedScenario(uploaded, case, session, workflow, settings)


def merge_file(draft: ScenarioDraft, scenario: OpenedScenario) -> ScenarioDraft:
    """Return a run's draft on top of the file that it was opened from, in a new draft.

    The file's expectations are ticked but for those that do not hold for the run, of which a note says how
    many they are; what the run proposes besides is not ticked. Turns that were said by hand
    after those of the file that were sent take the place of the file's later ones. The version with which it
    was made, if it tells one, becomes that of the run.
    """
    content, sent = scenario.content, scenario.sent
    head = {key: value for key, value in content.items() if key not in ("version", "turns", "expect")}
    if "made_with_version" in head and "made_with_version" in draft.head:
        head["made_with_version"] = draft.head["made_with_version"]
    of_file = [dict(turn) for turn in content["turns"]]
    is_continued = len(draft.turns) > sent
    turns = [*of_file[:sent], *draft.turns[sent:]] if is_continued else of_file
    proposals: list[Proposal] = []
    checks = {each.number: each.checks for each in scenario.checks()}
    if is_continued:  # the end is that of the turns that are saved
        checks[None] = scenario.check_end().checks
    for number, turn in enumerate(turns, start=1):
        written = list(_written(turn.pop("expect", []), number, checks))
        known = [each.original for each in written]
        proposed = [one for one in draft.proposals if one.turn == number]
        if number <= sent or not is_continued:
            proposed = [replace(one, is_ticked=False) for one in proposed if one.to_json() not in known]
        proposals += [*written, *proposed]
    proposals += _written(content.get("expect", []), None, checks)
    failed = sum(each.has_failed for each in proposals)
    notes = list(draft.notes)
    if failed:
        notes.append(
            f"{failed} of the file's expectations {'does' if failed == 1 else 'do'} not hold for this run: "
            f"{'it is' if failed == 1 else 'they are'} not ticked."
        )
    return replace(
        draft, head=head, turns=turns, proposals=proposals, notes=notes, source=scenario.loaded.text
    )


def _written(
    expectations: Sequence[Any], number: int | None, checks: Mapping[int | None, Sequence[CheckResult]]
) -> Iterator[Proposal]:
    """Yield the expectations that a file has for a turn, ticked unless their checks have failed.

    Those that were not checked are ticked.
    """
    results = checks.get(number, ())
    for place, each in enumerate(expectations):
        has_failed = place < len(results) and not results[place].passed
        yield replace(parse_expectation(each, number), is_ticked=not has_failed, has_failed=has_failed)
