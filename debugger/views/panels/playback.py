"""Recorded runs played on the embedded engine: how they are begun, and how they compare with the record."""

from __future__ import annotations

from debugger.backends.base import Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.prepared_workflow import prepare
from debugger.errors import UnsupportedError
from debugger.graph import Graph
from debugger.protocol.workflow import Workflow
from debugger.replays.playback import Playback
from debugger.session.playing import has_other_turns, play_record
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import actions, state
from debugger.views.actions import action
from debugger.views.audit import audit, audit_run
from debugger.views.auth import permissions
from debugger.views.backend_cache import BackendCache
from debugger.views.backends import CurrentBackend, local_store, named_backend
from debugger.views.components.toolbar import Badge, Button, Item, Text
from debugger.views.connections import HostedConnection
from debugger.views.panels.workflow_files import workflow_document

_WAIT_SECONDS = 0.25
"""Seconds that a click waits for what it has set going, so that a quick run is there at once."""
_MOST_LINES = 6


def play_buttons(session: DebugSession) -> list[Button]:
    """Return the buttons that play a run here with its recorded answers: to its end, or step by step.

    They are disabled, with the reason as their help, where it cannot be played.
    """
    reason = _reason(session)
    effect = "A new run of the embedded engine gets the recorded inputs and answers; nothing is called"
    words = {False: "Play with recorded answers", True: "Step with recorded answers"}
    return [
        Button(
            "step_record" if steps else "play_record",
            words[steps],
            play_here,
            (steps,),
            icon=":material/step_over:" if steps else ":material/play_circle:",
            disabled=reason is not None,
            help=reason or (f"{effect}. It pauses before the first node" if steps else effect),
        )
        for steps in (False, True)
    ]


def _reason(session: DebugSession) -> str | None:
    """Return why a run cannot be played; ``None`` where that can be tried."""
    if session.run_id is None or not session.turns:
        return "Once a turn is over, the run can be played."
    if session.pending is not None:
        return "The outcome of the last message is not known yet."
    if session.turns_to_load:
        return "The run is being read."
    if session.substitute_reason:
        return "The version that ran cannot be read."
    return "The turn is still running." if session.busy else None


@action(role=Role.RUN, takes_session=True)
def play_here(session: DebugSession, steps: bool = False) -> None:
    """Play a run with its recorded answers as a new run of the embedded engine, and show that.

    A hosted run needs its version in the embedded engine. One with the same document is used, else it is
    added, which needs the role admin. Nothing happens while a turn is under way. The error of a run that
    cannot be played is kept in `LastAction`.

    Args:
        session: The run on view.
        steps: Whether it pauses before the first node.
    """
    if session.run_id is None or session.busy:
        return
    if session.substitute_reason:
        raise UnsupportedError(
            "The version that ran cannot be read, so the run cannot be played.", advice="Choose another run."
        )
    source, run, seed = (
        session.backend,
        session.backend.run(session.run_id),
        session.backend.seed(session.run_id),
    )
    engine = _engine()
    if isinstance(source, EmbeddedBackend):
        workflow_id, number, note = session.workflow_id, session.version_number, ""
    else:
        workflow_id, number, note = _stored_version(engine, session.workflow)
    graph = Graph(prepare(engine.workflow(workflow_id, number), engine.workflow).workflow)
    playback = Playback(run, graph, seed)
    playback.note = note
    played = DebugSession(engine, workflow_id, number, playback=playback)
    played.breakpoints.restore(session.breakpoints.to_json())
    if steps:
        played.stepping.arm("node")
    origin = _origin(source)
    if state.record(CurrentBackend).name != "embedded":
        actions.choose_backend("embedded")
    actions.show(played)
    for mock in played.mocks.all:  # else a pin of another run would answer
        played.mocks.remove(mock.id)
    _begin(played, origin)
    audit_run("play run", played, source=playback.run_id)


@action(role=Role.RUN, takes_session=True)
def play_on(session: DebugSession) -> None:
    """Play what is left of the record.

    Nothing happens in a run that plays none or has other turns, or while a turn is under way.
    """
    if session.playback is not None and not session.busy and not has_other_turns(session):
        _begin(session, "")


def _begin(session: DebugSession, origin: str) -> None:
    by = "" if permissions.current_user().is_local else permissions.current_user().name
    forward = play_record(session, local_store().forks, note=origin, by=by)
    actions.set_run_by(session).replay_inputs(forward)
    state.record(BackendCache).expire()
    session.wait_until_idle(_WAIT_SECONDS)


def _engine() -> EmbeddedBackend:
    engine = named_backend("embedded")
    assert isinstance(engine, EmbeddedBackend)
    return engine


def _origin(source: Backend) -> str:
    """Return where a run was recorded that is not of this engine; empty for one that is."""
    if isinstance(source, EmbeddedBackend):
        return ""
    is_hosted = state.record(CurrentBackend).name == "hosted"
    return f"of the connection {state.record(HostedConnection).name}" if is_hosted else "of a file"


def _stored_version(engine: EmbeddedBackend, workflow: Workflow) -> tuple[str, int, str]:
    """Return id and number of a workflow's version in the engine, and a sentence where it was added for this.

    It is one with the same document, secret variables aside; else it is added as the next version of the
    workflow with its logical id, which does not become the active one, or as a new workflow.

    Raises:
        ForbiddenError: It has to be added, and the user may not import workflows.
        DebuggerError: The store cannot be read, or the engine does not take the workflow.
    """
    document = workflow_document(workflow)
    known = engine.find_workflows(workflow.config.logical_id)
    for each in known:
        for version in reversed(engine.versions(each.summary.id)):
            if workflow_document(engine.workflow(each.summary.id, version.version_number)) == document:
                return each.summary.id, version.version_number, ""
    permissions.check_role(Role.ADMIN)
    if known:
        target = next((each for each in known if each.summary.name == workflow.name), known[0])
        workflow_id = target.summary.id
        number = engine.import_version(
            workflow_id, document, expected=target.next_version, mark_as_active=False
        ).version_number
        added = f"Version {number} of “{target.summary.label}” was added to the embedded engine for it"
        note = f"{added}; it is not the active one."
    else:
        summary = engine.create_workflow(document, name=workflow.name)
        workflow_id, number = summary.id, summary.active_version_number or 0
        note = f"The workflow “{summary.label}” was added to the embedded engine for it."
    audit("import version", workflow_id, backend="embedded", version=number)
    return workflow_id, number, note


def played_turns(session: DebugSession) -> list[Item]:
    """Return how a played run compares with its record, the first difference first; empty for other runs.

    While it is stopped, what is left of the record can be played on.
    """
    playback = session.playback
    if playback is None:
        return []
    first, lines = playback.first_difference, playback.lines
    badge = Badge("Played", ":material/play_circle:", "blue", help=f"Answers of run {playback.run_id}")
    summary = "No turn is compared yet."
    if first is not None:
        summary = f"First difference: {first.difference}"
    elif lines:
        summary = f"As recorded: {len(playback.segments)} of {playback.total} turns and steps"
    shown = lines[:_MOST_LINES]
    more = [f"{len(lines) - len(shown)} more"] if len(lines) > len(shown) else []
    items: list[Item] = [
        badge,
        Text(summary, look="message", key="first_difference"),
        *_play_on(session, playback),
    ]
    if first is not None:
        rows = "; ".join(line.rstrip(".") for line in (*shown, *more))
        items.append(Text(f"{rows[:1].upper()}{rows[1:]}.", look="note", key="played_turns"))
    if has_other_turns(session):
        words = "The run was continued with other input; what is left of its record is not played."
        items.append(Text(words, look="note", key="other_turns"))
    if playback.note:
        items.append(Text(playback.note, look="note", key="played_version"))
    return items


def _play_on(session: DebugSession, playback: Playback) -> list[Item]:
    """Return the button that plays the rest of the record; none while it is played, and where none can be."""
    is_played = not playback.inputs or bool(playback.problem) or session.is_over or session.busy
    if is_played or has_other_turns(session):
        return []
    help_text = "Send the recorded inputs that are left, with their recorded answers"
    return [
        Button("play_on", "Play on", play_on, icon=":material/play_arrow:", look="tertiary", help=help_text)
    ]
