"""Actions on the run on view.

Each ends in a changed page state, never in an exception.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Concatenate, Literal, ParamSpec, overload

from debugger.analysis.caller_input import NAMESPACE, default_variables, original_inputs
from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.hosted import HostedBackend
from debugger.errors import DebuggerError, NotFoundError, StoreError
from debugger.expressions.required_variables import required_variables
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import decode, encode
from debugger.protocol.runs import Command
from debugger.protocol.workflow import SYSTEM_NAMES
from debugger.session import debug_setup
from debugger.session.input_history import reusable_input
from debugger.session.registry import prefetcher
from debugger.session.run_input import RunInputModel
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import state
from debugger.views.address_bar import DebugBar
from debugger.views.audit import audit, audit_run
from debugger.views.auth import permissions
from debugger.views.auth.permissions import check_role, may, requires
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import CurrentBackend, current_backend, local_notes, local_store
from debugger.views.confirmations import OpenQuestions, confirm_turn
from debugger.views.connections import HostedConnection, close_unused, disconnect_hosted, is_known, owner
from debugger.views.drafts import draft, set_draft
from debugger.views.problem_report import follow_log, log_unexpected_error
from debugger.views.run_state import CurrentRun, Cursor, RunInputs, Selection
from debugger.views.state import LastAction
from debugger.views.times import shown_time
from debugger.views.url_state import Address, BackendName

Arguments = ParamSpec("Arguments")

AUTOMATIC_KEY = "advance_by_itself"
"""The switch that lets background work go on by itself."""
FOLLOW_KEY = "follow_run"
"""The switch that loads turns of other clients as they come."""
_MAX_TURNS_AT_ONCE = 200
"""So many turns are read in a sixth of a second; of a longer run the page is drawn before they are."""
_READ_WAIT_SECONDS = 2.0
"""Seconds that a page waits for its run to be read ahead: then it is drawn once, and whole."""
_TURN_WAIT_SECONDS = 0.1
"""Seconds that a click waits for the turn that it begins: a quick one is drawn once, when it is over."""


@dataclass
class _RunSetups:
    """Settings that the next run on view begins with.

    Those of a run are stored with it. A run that has not begun has no place in the store: the `Owner` of the
    browser holds them, in this process alone, and the address has a token of them. A mock may have a secret,
    which no other user or browser gets by the address. Each tab writes under a token of its own, and a
    reloaded one under a new one: of two tabs, also with one address, none changes what the other has set.
    """

    advances_by_itself: bool = True
    """Whether background work goes on by itself."""
    by_workflow: dict[str, JsonObject] = field(default_factory=dict)
    """The debug setup, as breakpoints, that each workflow's last run had."""
    token: str = ""
    """Names what the owner holds of this tab; empty before anything is set."""
    is_reloaded: bool = False
    """True while the next session on view is that of the tab before its reload."""

    def carry_over(self, session: DebugSession) -> None:
        """Let the next run of a workflow have the debug setup of a session."""
        self.by_workflow.pop(session.workflow_id, None)
        if session.mocks or session.breakpoints.points:
            self.by_workflow[session.workflow_id] = debug_setup.capture(session)


SessionAction = Callable[Concatenate[DebugSession, Arguments], None]


@overload
def action(
    *, role: Role | None = None, takes_session: Literal[False] = False
) -> Callable[[Callable[Arguments, None]], Callable[Arguments, None]]: ...


@overload
def action(
    *, role: Role | None = None, takes_session: Literal[True], confirm: bool = False
) -> Callable[[SessionAction[Arguments]], Callable[Arguments, None]]: ...


def action(
    *, role: Role | None = None, takes_session: bool = False, confirm: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare an action of the page: who may do it, on what, and after which question.

    Its error is stored in `LastAction`, and what was on view stays.

    Args:
        role: The role that it needs, by which its controls are disabled; without one any user may do it, as
            what changes the own view alone.
        takes_session: Whether it gets the session on view before its arguments; without a session it does
            nothing.
        confirm: Whether it sends a turn, for which the user is asked first where that is necessary, see
            `confirm_turn`.
    """

    def decorate(do: Callable[..., None]) -> Callable[..., None]:
        """Wrap a function in question, session, role and recorded error, the last outermost.

        The question and the session are left out where the action takes none; a role is checked before both.
        """
        inner = do
        if confirm:
            inner = _confirmed(do, lambda *args, **kwargs: done(*args, **kwargs))
        if takes_session:
            inner = _with_session(inner)
        done = _recorded(inner if role is None else requires(role)(inner))
        return done

    return decorate


def _recorded(do: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Return a function that does the same, but ends without an exception and returns nothing.

    Each call first replaces error, action and field of `LastAction` by none, the function's name and an empty
    text. A `DebuggerError` is then held as its error, also that the user lacks the role read; any other
    `Exception` is logged, and an `UnexpectedError` is held. The exceptions of Streamlit that end a script run
    pass through.
    """

    @wraps(do)
    def done(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        """Call it, and hold its error in `LastAction`."""
        follow_log()
        last = state.record(LastAction)
        last.error, last.action, last.field = None, do.__name__, ""
        try:
            check_role(Role.READ)  # `requires` asks for more
            do(*args, **kwargs)
        except DebuggerError as error:
            last.error = error
        except Exception as error:
            last.error = log_unexpected_error(f"The action {do.__name__}", error)

    return done


def _confirmed(do: SessionAction[Arguments], again: Callable[..., None]) -> SessionAction[Arguments]:
    """Return a function that does the same where `confirm_turn` allows a turn; else a question is open.

    Once the user has agreed, `again` is called with the same arguments, but for the session.
    """

    @wraps(do)
    def done(session: DebugSession, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        """Send the turn, or ask."""
        if confirm_turn(session, partial(again, *args, **kwargs)):
            do(session, *args, **kwargs)

    return done


def _with_session(do: SessionAction[Arguments]) -> Callable[Arguments, None]:
    """Return a function that gets the session on view as first argument, and does nothing without one."""

    @wraps(do)
    def done(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        """Call it with the session on view, if there is one."""
        session = state.record(CurrentRun).session
        if session is not None:
            do(session, *args, **kwargs)

    return done


@action()
def choose_backend(name: BackendName, connection_name: str = "") -> None:
    """Work with another backend.

    The run on view belongs to the old one and is closed.

    Args:
        name: The backend.
        connection_name: The hosted backend's connection; empty for the one in use, or else the default.
    """
    current, hosted = state.record(CurrentBackend), state.record(HostedConnection)
    is_other_connection = bool(connection_name) and connection_name != hosted.name
    if current.name == name and not is_other_connection:
        return
    if is_other_connection:
        disconnect_hosted()
        hosted.name = connection_name
    current.name = name
    is_lost = is_other_connection and not is_known(connection_name)
    if name != "recording" and not is_lost:  # a recording is gone with its tab
        owner().backend_name = name
    show(None)
    shown = hosted.name if name == "hosted" else ""
    state.record(DebugBar).show(Address(name, connection=shown))
    state.record(BackendCache).clear()


@action()
def open_workflow(workflow_id: str, version_number: int | None = None) -> None:
    """Show a version of a workflow, ready to be started; ``None`` is the active one, if there is one.

    An error, as of an unknown workflow, is held in `LastAction`; then the session on view stays.
    """
    backend = current_backend()
    number = version_number
    if number is None:
        versions = backend.versions(workflow_id)
        number = next((version.version_number for version in versions if version.is_active), None)
    show(DebugSession(backend, workflow_id, number))


@action()
def open_run(run_id: str, turn_number: int | None = None, event: int | None = None) -> None:
    """Show a recorded run, at a named event or at a turn's end.

    One that is long is read once the page is there, see `read_run`.
    """
    refuse_deleted(run_id)
    prefetcher.wait(run_id, _READ_WAIT_SECONDS)
    session = DebugSession.open_lazily(current_backend(), run_id)
    if session.turns_to_load <= _MAX_TURNS_AT_ONCE:
        session.read()
    show(session)
    state.record(Cursor).turn_to_open = turn_number
    state.record(Cursor).event_to_open = event
    if not session.turns_to_load:
        _open_turn()


def refuse_deleted(run_id: str) -> None:
    """Refuse a run that a user has deleted and that can still be restored.

    Raises:
        NotFoundError: It is one of the embedded engine.
    """
    if state.record(CurrentBackend).name != "embedded":
        return
    deleted = local_store().hidden.find(run_id)
    if deleted is not None:
        raise NotFoundError(
            f"Run {run_id} was deleted by {deleted.hidden_by} on {shown_time(deleted.hidden_at)}.",
            advice="It can be restored on the page Runs, under “Deleted runs”.",
        )


@action(takes_session=True)
def read_run(session: DebugSession) -> None:
    """Read the turns of the run on view that is being opened, then select the place that it is opened at.

    Where they cannot be read, no session is on view any more, and the error is held in `LastAction`.
    """
    try:
        session.read()
    except DebuggerError:
        show(None)
        raise
    _open_turn()


def _open_turn() -> None:
    select_place(state.record(Cursor).turn_to_open, state.record(Cursor).event_to_open)


@action()
def join(session: DebugSession) -> None:
    """Show a session with a turn under way; nothing changes where it is on view already.

    It may be on view in another tab as well. Of the hosted API the tab takes over the session's backend, and
    its own one is closed where nothing needs it.
    """
    run = state.record(CurrentRun)
    if run.session is not session:
        if isinstance(session.backend, HostedBackend):
            current_backend()  # names the connection's settings, and refuses a key that is withheld
            hosted = state.record(HostedConnection)
            before, hosted.backend = hosted.backend, session.backend
            if before is not session.backend:
                close_unused(before)
        show(session)
        run.awaits_turn = True


@action(takes_session=True)
def reload_run(session: DebugSession) -> None:
    """Read the run on view from its record again.

    Other clients may have added turns.
    """
    if session.run_id is not None and not session.busy:
        again = DebugSession.open(session.backend, session.run_id, playback=session.playback)
        again.stepping.inherit(session.stepping)
        again.human_input.inherit(session.human_input)
        if session.background.continues:
            again.background.resume()
        show(again)


@action(role=Role.ADMIN)
def import_workflow(document: JsonObject) -> None:
    """Keep a document as a new workflow of this tab's backend and show its active version.

    Needs the role admin. The cached answers of the backend expire, and the audit list gets an entry. An
    error, as of a document that the backend refuses, is held in `LastAction`; then the session on view stays.
    """
    backend = current_backend()
    stored = backend.create_workflow(document)
    state.record(BackendCache).expire()
    audit("import workflow", stored.id, backend=state.record(CurrentBackend).name)
    show(DebugSession(backend, stored.id, stored.active_version_number or 0))


@action(role=Role.RUN, takes_session=True)
def start(session: DebugSession, message: str | None = None) -> None:
    """Begin the run, with a first message if there is one, and with the start input of its version.

    Does nothing where the run has begun already, and only leaves a question open where `confirm_turn` asks
    one. Needs the role run. Waits up to `_TURN_WAIT_SECONDS` for the turn; an unusable start input is an
    error in `LastAction`.
    """
    if session.status != "not_started":
        return  # a second click has nothing to do
    if confirm_turn(session, partial(start, message), message or ""):
        set_run_by(session).start(start_input(session).turn_input(message))
        _await_turn(session)


@action(role=Role.RUN, takes_session=True)
def restart(old: DebugSession, is_edited: bool = False) -> None:
    """Begin another run of the same version; the old one stays on record.

    Args:
        old: The run on view.
        is_edited: Whether the start input is sent instead of the run's own.
    """
    if not old.busy and confirm_turn(old, partial(restart, is_edited)):
        model = start_input(old)
        if old.turns and not is_edited:  # the start input may be another, as of a run opened from its record
            own = reusable_input(original_inputs(old.turns, old.workflow)[0].to_wire())
            model = model if own == reusable_input(model.value) and not model.problems else RunInputModel(own)
        turn_input = model.turn_input()
        sibling = DebugSession(old.backend, old.workflow_id, old.version_number)
        sibling.stepping.inherit(old.stepping)
        show(sibling, after=old)
        state.record(CurrentRun).replaced = old
        set_run_by(sibling).start(turn_input)
        _await_turn(sibling)


@action(role=Role.RUN, takes_session=True)
def send(session: DebugSession, text: str) -> None:
    """Send a message to the run, or begin the run with it.

    Does nothing with a blank text, and only leaves a question open where `confirm_turn` asks one. Needs the
    role run. The input for the next turn goes along unless it is empty. Where it, or the start input, cannot
    be used, nothing is sent, the text stays in the box, and the error is in `LastAction`. Otherwise the box
    is emptied, and the run is followed live.
    """
    inputs = state.record(RunInputs)
    if not text.strip() or not confirm_turn(session, partial(send, text), text):
        return
    is_first = session.status == "not_started"
    model = start_input(session) if is_first else inputs.next
    set_draft(text)  # it stays in the box where the run input cannot be used
    turn_input = model.turn_input() if is_first or model.value or model.problems else None
    set_draft("")
    state.record(Cursor).event = None
    if is_first:
        start(text)
        return
    set_run_by(session).send(text, turn_input)
    _await_turn(session)


def set_run_by(session: DebugSession) -> DebugSession:
    """Set who runs the session's next turns: the signed-in user.

    Returns the session.
    """
    session.run_by = _user_name()
    return session


def _user_name() -> str:
    """Return the name of the signed-in user; empty without a login."""
    user = permissions.current_user()
    return "" if user.is_local else user.name


def _await_turn(session: DebugSession) -> None:
    """Note that a turn was started in this tab, and wait up to `_TURN_WAIT_SECONDS` for its end.

    A session of the hosted API is held for the browser until the outcome is known. Unless the session has an
    error or no turn, the audit list gets an entry with the number of the last turn.
    """
    state.record(CurrentRun).awaits_turn = True
    if state.record(CurrentBackend).name == "hosted":
        owner().keep_session(state.record(HostedConnection).name, session)
    session.wait_until_idle(_TURN_WAIT_SECONDS)
    if session.error is None and session.turns:
        audit_run("send turn", session, turn_number=session.turns[-1].number)


def collect_finished_turn() -> None:
    """Clean up once a turn that this tab has started has ended, or put back what could not be sent.

    It first calls what waits for the end of the turns, once, and empties the box of a message that the record
    has. The rest is done once per turn; without a session, or while it is busy, loads, or waits for an
    outcome, nothing. A refused restart shows the replaced run again, with the error in `LastAction`. After a
    success the input for the next turn is emptied; after an error the unsent message is back in the box. The
    debug setup is stored, if any.
    """
    run, inputs = state.record(CurrentRun), state.record(RunInputs)
    session = run.session
    if session is not None and not session.busy and run.after_turns is not None:
        after_turns, run.after_turns = run.after_turns, None
        after_turns()
    arrival = session.arrival if session is not None else None
    if arrival is not None and draft() == arrival.message:
        set_draft("")  # it was offered again before it was found
    if session is None or session.busy or session.sync.is_loading or not run.awaits_turn:
        return
    if session.pending is not None:
        return
    run.awaits_turn, replaced, run.replaced = False, run.replaced, None
    is_refused = session.error is not None and session.unstored_turn is None
    if replaced is not None and is_refused and session.run_id is None:
        show(replaced)  # the start was refused
        state.record(LastAction).fail(session.error)
        return
    if session.workflow_id in state.record(_RunSetups).by_workflow:
        try:
            store_debug_setup()
        except StoreError as error:
            state.record(LastAction).fail(error)
    if session.error is None:
        if inputs.next.value or inputs.next.problems:
            inputs.next = RunInputModel()
            state.renew_editors()
    elif session.unsent_message:
        set_draft(session.unsent_message)


@action(role=Role.RUN, takes_session=True, confirm=True)
def start_background_step(session: DebugSession) -> None:
    """Start a step of background work now; resumes background work that was halted."""
    session.advance()


@action(role=Role.RUN)
def advance_by_itself() -> None:
    """Set by the switch whether background work advances by itself.

    That is so for the session on view, if any, and for those that this tab shows next. Needs the role run;
    without it the error is in `LastAction`.
    """
    setups, run = state.record(_RunSetups), state.record(CurrentRun)
    setups.advances_by_itself = bool(state.widget(AUTOMATIC_KEY))
    if run.session is not None:
        run.session.background.automatic = setups.advances_by_itself


@action(role=Role.RUN, takes_session=True)
def stop(session: DebugSession) -> None:
    """End the run."""
    set_run_by(session).stop()
    audit_run("stop run", session)


@action(takes_session=True)
def check_now(session: DebugSession) -> None:
    """Read the run's record now and wait for it.

    It shows whether a message of unknown outcome was executed, and turns of other clients.
    """
    session.check_now()
    session.wait_for_record(_TURN_WAIT_SECONDS)


@action(role=Role.RUN, takes_session=True)
def restore_message(session: DebugSession) -> None:
    """Put a message back into the box that the record seems to have."""
    if session.arrival is not None:
        set_draft(session.arrival.message)
        session.arrival, session.notice = None, ""


@action(role=Role.RUN, takes_session=True, confirm=True)
def send_again(session: DebugSession) -> None:
    """Send the message of unknown outcome once more.

    The user accepts that it may be executed twice.
    """
    set_run_by(session).send_again()
    _await_turn(session)


@action(role=Role.RUN, takes_session=True)
def discard_pending(session: DebugSession) -> None:
    """Give the message of unknown outcome up."""
    session.discard_pending()


@action(role=Role.RUN, takes_session=True, confirm=True)
def send_unstored_again(session: DebugSession) -> None:
    """Execute the turn that is not on record again.

    The user accepts that its calls are made again.
    """
    set_run_by(session).send_unstored_again()
    _await_turn(session)


@action(role=Role.RUN, takes_session=True)
def discard_unstored(session: DebugSession) -> None:
    """Go on without the turn that is not on record."""
    session.discard_unstored()


@action(takes_session=True)
def load_newer(session: DebugSession) -> None:
    """Load the turns that other clients have added."""
    session.load_newer()
    session.wait_for_record(_TURN_WAIT_SECONDS)


@action(takes_session=True)
def follow(session: DebugSession) -> None:
    """Set by the switch whether turns of other clients are loaded."""
    session.follow(bool(state.widget(FOLLOW_KEY)))
    session.wait_for_record(_TURN_WAIT_SECONDS)


@action(role=Role.RUN, takes_session=True, confirm=True)
def send_command(session: DebugSession, name: Command) -> None:
    """Send a command without a message, such as ``pause``."""
    set_run_by(session).send_command(name)
    _await_turn(session)


def show(session: DebugSession | None, *, after: DebugSession | None = None) -> None:
    """Put a session on view, or none, and reset the selection.

    A question on a turn is about the session before, and is closed.

    Args:
        session: The session; it gets its run's own debug setup, else what this user has set for the workflow.
        after: The session that it continues, as a restart or a fork does, with its debug setup.
    """
    run, selection = state.record(CurrentRun), state.record(Selection)
    setups = state.record(_RunSetups)
    run.session = session
    state.replace_record(OpenQuestions(edit=state.record(OpenQuestions).edit))
    if session is not None:
        # Another user may share the session of a turn that is under way (`join`).
        if may(Role.RUN):
            session.background.automatic = setups.advances_by_itself
        if may(Role.RUN) or not session.busy:
            if after is not None:
                setups.carry_over(after)
            own = _stored_setup(session.run_id)
            found = own or setups.by_workflow.get(session.workflow_id)
            if found is not None and not session.breakpoints.points and not session.mocks:
                debug_setup.restore(session, found, is_own=own is not None or setups.is_reloaded)
            if own is not None and own.get("by", "") == _user_name():
                # After a reload, the next run has it, too; it does not get what another user has set.
                setups.by_workflow.setdefault(session.workflow_id, own)
        setups.is_reloaded = False
        if session.status == "not_started" and setups.by_workflow:
            _keep_for_reload(setups)
    select_event(None)
    selection.choose(None)
    run.awaits_turn, run.after_turns, run.replaced = False, None, None
    state.record(RunInputs).next = RunInputModel()
    state.renew_editors()


def store_debug_setup() -> None:
    """Store the debug setup of the run, as its breakpoints.

    It is stored with the run and used for the next one of the workflow.
    """
    run = state.record(CurrentRun)
    if run.session is None:
        return
    found = debug_setup.capture(run.session) | {"by": _user_name()}
    setups = state.record(_RunSetups)
    setups.by_workflow[run.session.workflow_id] = found
    if run.session.run_id is not None:
        local_notes().keep_debug_setup(run.session.run_id, encode(found))
    else:
        _keep_for_reload(setups)


def _keep_for_reload(setups: _RunSetups) -> None:
    setups.token = setups.token or secrets.token_urlsafe(16)
    owner().keep_setups(setups.token, setups.by_workflow)


def setup_token(session: DebugSession) -> str:
    """Return the token of what was set for runs to be started; empty where nothing was, and in a run."""
    return state.record(_RunSetups).token if session.status == "not_started" else ""


def take_setups(token: str) -> None:
    """Take what this tab had set before its reload, unless it has set something since."""
    setups, found = state.record(_RunSetups), owner().setups.get(token)
    if found is not None and not setups.by_workflow:
        setups.by_workflow, setups.is_reloaded = dict(found), True


def _stored_setup(run_id: str | None) -> JsonObject | None:
    """Return the debug setup stored for a run; ``None`` without a run, a setup, or a readable store."""
    try:
        stored = local_notes().debug_setup_of(run_id) if run_id else None
    except StoreError:
        return None  # a run of the hosted API can be looked at without the local store
    found: JsonObject | None = decode(stored) if stored else None
    return found


def select_event(index: int | None) -> None:
    """Select an event by its place in the run, from 0.

    ``None`` follows the run.
    """
    cursor, session = state.record(Cursor), state.record(CurrentRun).session
    if cursor.event is None and index is not None and session is not None:
        cursor.seen_events = session.event_count
    cursor.is_playing = False
    cursor.event = index


def select_place(turn_number: int | None, event: int | None) -> None:
    """Select the event that an address names, else the end of the turn that it names, else change nothing.

    An event beyond the run counts as absent, as any does without a session; for the turn see `select_turn`.
    """
    session = state.record(CurrentRun).session
    if event is not None and session is not None and event < session.event_count:
        select_event(event)
    elif turn_number is not None:
        select_turn(turn_number)


def select_node(node_id: str) -> None:
    """Choose a node in place of a node or an edge, and switch the inspector to the tab Node.

    An empty id clears the selection and leaves the tab. Whether there is such a node is not checked.
    """
    selection = state.record(Selection)
    selection.node, selection.edge = node_id or None, None
    if node_id:
        state.set_widget_from_callback(state.TAB_KEY, "Node")


def select_turn(turn_number: int) -> None:
    """Select the end of a turn, with its background work.

    The last turn, or one that the run does not have, follows the run.
    """
    run = state.record(CurrentRun)
    turns = run.session.turns if run.session else []
    seen = sum(len(turn.events) for turn in turns if turn.number <= turn_number)
    is_past = 0 < turn_number < (turns[-1].number if turns else 0)
    select_event(seen - 1 if is_past and seen else None)


def step_turn(by: int) -> None:
    """Move the selection by some turns.

    Beyond the last one the run is followed; before the first nothing changes.
    """
    run = state.record(CurrentRun)
    turn = run.session.turn_of(state.record(Cursor).event) if run.session else None
    if turn is not None and turn + by > 0:
        select_turn(turn + by)


def start_input(session: DebugSession) -> RunInputModel:
    """Return the input that this version is started with.

    At first it is what the workflow itself names.
    """
    key = (session.workflow_id, session.version_number)
    inputs = state.record(RunInputs).start
    if key not in inputs:
        inputs[key] = RunInputModel(first_input(session))
    return inputs[key]


def first_input(session: DebugSession) -> JsonObject:
    """Return the variables that a workflow names, with their defaults.

    A blank would hide a global variable or a secret, so these are left out.
    """
    workflow = session.workflow
    supplied = {*SYSTEM_NAMES, NAMESPACE, *known_variables(session)}
    try:
        named = required_variables(workflow.to_wire())
    except DebuggerError:
        named = {}
    blank = {name: value for name, value in named.items() if name not in supplied}
    return {
        "dynamic_variables": {**blank, **default_variables(workflow)},
        "runtime_variables": dict(workflow.runtime_variables),
    }


def known_variables(session: DebugSession) -> JsonObject:
    """Return the global variables and secrets of the session's runs, as far as they are known here.

    Empty for another backend than the embedded engine, and where its store cannot be read.
    """
    if not isinstance(session.backend, EmbeddedBackend):
        return {}
    try:
        return session.backend.known_variables()
    except StoreError:
        return {}  # the turn itself ends in the error
