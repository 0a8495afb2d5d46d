"""Possible next steps: what takes each, and the buttons that take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from debugger.analysis.event_fields import node_of
from debugger.analysis.position import NextEdge
from debugger.analysis.transitions import LEAVING_TYPES
from debugger.analysis.undecided import EdgeExpression, Step, Undecided, edge_expression, undecided_nodes
from debugger.backends.base import Ability
from debugger.engine.mocks import Pin, Target
from debugger.engine.variables import VariableEdit
from debugger.expressions.solutions import solution
from debugger.graph import Graph
from debugger.protocol.workflow import NodeConfig
from debugger.session.fork_draft import DYNAMIC
from debugger.session.human_input import NextStep
from debugger.session.session import DebugSession
from debugger.session.step_values import (
    FailedCalls,
    OpenedStep,
    UnsetVariables,
    edits_for,
    failed_calls,
    needed_for,
    pinned_output,
    unset_variables,
)
from debugger.store import Role
from debugger.views import actions, refresh, state
from debugger.views.actions import action
from debugger.views.components.markdown import json_cell, listed
from debugger.views.components.toolbar import Button, Item, Line, Text, bar, bars
from debugger.views.navigation import ViewMode
from debugger.views.panels import fork_actions, mocks, setup, stepping
from debugger.views.panels.drawn_graph import drawn_graph
from debugger.views.panels.fork_actions import ForkState
from debugger.views.panels.manual_answer import choose_step, expression_of, scope_now, use_fallback
from debugger.views.panels.variable_edits import apply_edits
from debugger.views.run_state import Element, RunInputs, Selection
from debugger.views.run_view import RunView, run_history, run_view

_MOST_STEPS = 4


def draw_undecided(view: RunView) -> None:
    """Draw the offers to answer as the node whose call failed, and as the model that chose no edge.

    Each is a bar with a sentence, a button for each of the first four steps, and one that shows the others
    in the tab Why; the second also has a button without a step. A press runs the last turn again in a fork.
    A bar without an offer is not drawn: none is in the past, while busy, in the demo view, in a deleted run,
    without turns, or where the backend cannot fork exactly or lacks the pins or the user's answers.
    """
    _draw_failed(_failed(view))
    found = _undecided(view)
    if found is None:
        return
    items: list[Item] = [
        Text(found.text, look="message"),
        _offer("answer_as_model", "Answer as the model", found, None, "Run the turn again; you answer"),
    ]
    for place, step in enumerate(found.steps[:_MOST_STEPS]):
        hint = f"Run the turn again, and answer with the step to {step.label}"
        if step.expression is not None:
            hint += f", which is taken when {step.expression.text}"
        items.append(_offer(f"answer_with_{place}", f"→ {step.label}", found, step, hint))
    bar("undecided", [*items, *_rest("undecided", len(found.steps))], low=True)


def _rest(key: str, number: int) -> list[Button]:
    """Return the button that shows the steps that have none of their own."""
    label, hint = f"{number - _MOST_STEPS} more", "Show all possible next steps"
    button = Button(f"more_{key}", label, show_why, look="tertiary", help=hint)
    return [button] if number > _MOST_STEPS else []


def show_why() -> None:
    """Show the possible next steps."""
    actions.select_event(None)
    state.set_widget_from_callback(state.TAB_KEY, "Why")


def _draw_failed(found: FailedCalls | None) -> None:
    """Draw the bar of the nodes whose call failed, with a button for each of the first four steps.

    A press runs the last turn again in a fork with the step's values. ``None`` draws nothing.
    """
    if found is None:
        return
    items: list[Item] = [Text(f"No answer for {' and '.join(found.names)}.", look="message")]
    for place, step in enumerate(found.steps[:_MOST_STEPS]):
        hint = f"Run the turn again in a fork, with a pinned answer: {_values_of(step)}"
        press = refresh.refreshing("workbench", take_with_values)
        items.append(Button(f"pin_{place}", f"→ {step.label}", press, (step,), look="tertiary", help=hint))
    bar("failed_calls", [*items, *_rest("pins", len(found.steps))], low=True)


def _values_of(step: OpenedStep) -> str:
    """Return the values with which a step is taken."""
    return _named(step.edits if step.pin is None else _edits_of(step.pin))


def _can_run_again(view: RunView, ability: Ability) -> bool:
    """Return whether the last turn can be run again in a fork, with what the backend is able to do.

    False in the past, while a turn is under way or of unknown outcome, while turns are still to be loaded,
    without turns, in a deleted run, in the demo view, and for a backend without the ability or exact forks.
    """
    session, reasons = view.session, view.session.backend.capabilities
    is_at_rest = not (view.is_past or view.is_busy or session.pending is not None or session.turns_to_load)
    is_offered = bool(view.turns) and not session.is_deleted and not state.record(ViewMode).is_demo
    is_able = not (reasons.reason_against(ability) or reasons.reason_against("exact_fork"))
    return is_at_rest and is_offered and is_able


def _failed(view: RunView) -> FailedCalls | None:
    """Return the last turn's failed calls with the steps that pinned answers open, kept per revision.

    ``None`` where the turn cannot be run again with pins, or where no other answer opens a step.
    """
    if not _can_run_again(view, "pins"):
        return None

    def failed() -> FailedCalls | None:
        return failed_calls(view.turns[-1], Graph(run_history(view).workflow), scope_now(view))

    return view.memo("failed calls", failed)


def _offer(key: str, label: str, found: Undecided, step: Step | None, hint: str) -> Button:
    """Return the button that runs the last turn again with the user as the model, for a step or for none.

    A press calls `answer_as_model` with the nodes and the step. The button without a step has an icon.
    """
    return Button(
        key,
        label,
        refresh.refreshing("workbench", answer_as_model),
        (found.nodes, step),
        icon="" if step else ":material/edit:",
        look="tertiary" if step else "secondary",
        help=hint,
    )


def _undecided(view: RunView) -> Undecided | None:
    """Return the nodes whose next step the last turn left open, worked out once per revision.

    ``None`` where there are none, where the turn cannot be run again with the user's answers, for background
    work, and for a turn without a message in a run that is not over. Nodes inside super nodes are named by
    the running workflow, and not by the drawn one.
    """
    if not _can_run_again(view, "manual_model"):
        return None
    session = view.session
    turn = view.turns[-1]
    # A node that opens the conversation has nothing to decide on yet.
    if turn.is_background or not (turn.message or session.is_over):
        return None

    def undecided() -> Undecided | None:
        """Return the nodes by the view's graph, else by the running workflow, which has inner nodes."""
        found = undecided_nodes(turn, view.graph, view.position, is_over=session.is_over)
        if found is None or all(node in view.graph.nodes for node in found.nodes):
            return found
        running = Graph(run_history(view).workflow)  # one is inside a super node
        return undecided_nodes(turn, running, view.position, is_over=session.is_over)

    return view.memo("undecided", undecided)


@action(role=Role.RUN, takes_session=True)
def answer_as_model(session: DebugSession, node_ids: Sequence[str], step: Step | None) -> None:
    """Run the last turn again in a fork, where the user answers for models.

    Args:
        session: The run on view.
        node_ids: The nodes.
        step: The step that the form begins with, for which one node's answer is enough; ``None`` leaves that
            open.
    """
    if not session.turns:
        return
    nodes, asks_all = session.human_input.nodes, session.human_input.asks_all
    asked = node_ids if step is None else [step.asked]
    scope = scope_now(run_view(session))

    def prepare(fork: DebugSession) -> None:
        fork.human_input.nodes, fork.human_input.asks_all = nodes.union(asked), asks_all
        if step is not None:
            fork.human_input.want(NextStep(step.edge, step.node, step.expression, scope), step.asked)

    fork_actions.answer_turn_again(session.turns[-1].number, prepare)


@dataclass(frozen=True)
class _Line:
    """A possible next step, what takes it, and the button that does."""

    label: str
    """The destination."""
    text: str
    buttons: list[Button]
    edge: str = ""
    """The edge's id; empty without one in the document."""


_GO = "Answer as the model: go here"
_PIN = "Answer as the node: go here"
_FOR_STEP = "for a next step"


def draw_next_steps(view: RunView) -> None:
    """Draw the possible next steps from here, each with what takes it; of a chosen edge its own alone.

    They are the bars `next_steps`: a heading, then a line for each step with its buttons. Without a step
    nothing is drawn; where the chosen edge is no next step, all are drawn.
    """
    chosen = state.record(Selection).edge
    lines = _lines(view)
    lines = [line for line in lines if line.edge == chosen] or lines
    if not lines:
        return
    shown, labels = [], [line.label for line in lines]
    for place, line in enumerate(lines):
        of = f"{line.label}, {line.text}" if labels.count(line.label) > 1 else line.label
        buttons = [replace(button, of=of) for button in line.buttons]
        items: list[Item] = [
            Text(f"→ {line.label}", look="heading"),
            Text(line.text, look="message"),
            *buttons,
        ]
        shown.append(Line(f"next_step_{place}", items, low=True))
    bars("next_steps", [Line("", [Text("Possible next steps", look="heading")], low=True), *shown])


def _lines(view: RunView) -> list[_Line]:
    """Return the possible next steps with their buttons: those ahead, those left open, and those values open.

    Empty in the past, while a turn runs that neither is paused nor waits for an answer, without turns, while
    turns are still to be loaded, and in a deleted run. An edge that has a line gets no second one by values.
    """
    session = view.session
    is_running = view.is_busy and session.stop_point is None and session.human_input.pending is None
    if view.is_past or is_running or not view.turns or session.turns_to_load or session.is_deleted:
        return []
    drawn, found, missing = drawn_graph(view), _undecided(view), _missing(view)
    steps = found.steps if found is not None else ()
    undecided = {(step.edge, "" if step.edge else step.node): step for step in steps}
    lines: list[_Line] = []
    for step in drawn.position.next_edges:
        edge_id, destination, key = step.edge_id or "", step.destination or "", f"go_{len(lines)}"
        is_open = undecided.pop((edge_id, "" if edge_id else destination), None)
        if found is not None and is_open is not None:
            lines.append(_undecided_line(found, is_open, key))
        else:
            node = drawn.graph.nodes.get(destination)
            label = node.label if node else destination or "the end"
            lines.append(_Line(label, *_taken_by(view, drawn.graph, step, key), edge_id))
    for open_step in undecided.values():
        if found is not None:
            lines.append(_undecided_line(found, open_step, f"go_{len(lines)}"))
    known = {line.edge for line in lines}
    failed = _failed(view)
    opened_steps = (*(missing.steps if missing else ()), *(failed.steps if failed else ()))
    for opened in opened_steps:
        if opened.edge not in known:
            press, hint = refresh.refreshing("workbench", take_with_values), "Run the turn again in a fork"
            button = Button(f"go_{len(lines)}", "Run again: go here", press, (opened,), help=hint)
            lines.append(_Line(opened.label, f"taken with {_values_of(opened)}", [button], opened.edge))
    return lines


def _undecided_line(found: Undecided, step: Step, key: str) -> _Line:
    """Return a step that the built-in rules left open in the last turn."""
    text = "when the model chooses it" if step.expression is None else f"when {step.expression.text}"
    button = _offer(key, _GO, found, step, f"Run the turn again, and answer with {step.label}")
    return _Line(step.label, text, [button], step.edge)


def _taken_by(view: RunView, graph: Graph, step: NextEdge, key: str) -> tuple[str, list[Button]]:
    """Return what takes a step that is still ahead, and the buttons that take it.

    At most one button. There is none where the step is wanted already, which the text says, where no source
    node is known or the backend has no answers of the user, and where no value or pin leads to the step.
    Of an expression that an answer cannot set, the text says which values make it true.
    """
    session = view.session
    inquiry = session.human_input.pending
    edge = graph.edges.get(step.edge_id or "")
    source = graph.nodes.get((edge.source_node_logical_id if edge else view.position.current) or "")
    if inquiry is not None:
        expression = expression_of(step, inquiry.prompt, view)
    else:
        expression = edge_expression(edge, graph, source) if edge is not None and source is not None else None
    text = f"when the model finds: {step.condition}" if step.condition else "always"
    if expression is not None:
        text = f"when {expression.text}"
    is_direct = step.kind == "edge" and not step.condition
    if inquiry is not None and is_direct:
        answer = refresh.refreshing("workbench", use_fallback)
        hint = "Any answer leads here; the built-in rules give one"
        return text, [Button(key, "Go here", answer, (inquiry,), help=hint)]
    if expression is not None and not expression.is_answered:
        is_written = source is not None and bool(expression.written) and not _has_run(view, source)
        if source is not None and is_written:
            advice, buttons = _pinning(view, expression, source, key)
        else:
            advice, buttons = _setting(view, expression, key)
        return f"{text}{advice}", buttons
    if inquiry is not None:
        element = Element("edge", step.edge_id) if step.edge_id else Element("node", step.destination or "")
        hint = "Fill the form so that its answer takes this step"
        return text, [Button(key, _GO, refresh.refreshing("workbench", choose_step), (element,), help=hint)]
    if is_direct:
        return text, _direct(view, step, key)
    if source is None or session.backend.capabilities.reason_against("manual_model"):
        return text, []
    wanted = NextStep(step.edge_id or "", step.destination or "", expression, scope_now(view))
    chosen = session.human_input.wanted
    if chosen is not None and (chosen.edge, chosen.node) == (wanted.edge, wanted.node):
        return f"{text}; your next answer begins with it", []
    when = "With the next message" if view.hint.kind == "message" else "When the run continues"
    hint = f"{when} you answer for {source.label}, and the form begins with this step"
    take = refresh.refreshing("look", want_step)
    return text, [Button(key, _GO, take, (source.logical_id, wanted), help=hint)]


_SAID = "OK."
"""What is said where a step needs any message and the workflow's script suggests none."""


def _direct(view: RunView, step: NextEdge, key: str) -> list[Button]:
    """Return the button that follows an edge without a condition; empty where none can.

    In a paused run it continues to the destination, where there is one. Else, where a message is awaited, it
    sends the first suggestion, or “OK.” without one.
    """
    if view.session.stop_point is not None and step.destination:
        run_to = refresh.refreshing("look", stepping.run_to)
        return [Button(key, "Run to here", run_to, (step.destination,), help="Continue, and pause before it")]
    if view.hint.kind != "message":
        return []
    said = view.suggestions[0] if view.suggestions else _SAID
    send = refresh.refreshing("workbench", actions.send)
    shown = said if len(said) <= _LONGEST_SAID else f"{said[: _LONGEST_SAID - 1]}…"
    return [Button(key, f"Send “{shown}”: go here", send, (said,), help="Any message leads here")]


_LONGEST_SAID = 30


@action(role=Role.RUN, takes_session=True)
def want_step(session: DebugSession, node_id: str, step: NextStep) -> None:
    """Answer for a node from now on, next with a step that is still ahead.

    Adds the node to those that the user answers for, keeps the step as the wanted one, and stores the debug
    setup. Nothing happens without a session on view; an error is kept in `LastAction`.
    """
    human_input = session.human_input
    human_input.nodes = human_input.nodes.union([node_id])
    human_input.want(step, node_id)
    actions.store_debug_setup()


def _setting(view: RunView, expression: EdgeExpression, key: str) -> tuple[str, list[Button]]:
    """Return the values that make an expression true, as text, and their button.

    The text says what is needed where no values are found, and that it is so already where none must change.
    The button edits a paused run, else adds to the input of the next turn. There is none where the values
    name no variable, and in a run that is not paused where no message is awaited or a value is a runtime
    variable it has.
    """
    session, scope = view.session, scope_now(view)
    values = solution(expression.text, scope, others=expression.before)
    if values is None:
        return f". {needed_for(expression)}", []
    if not values:
        return ", as is the case now.", []
    edits = edits_for(values, scope)
    if edits is None:
        return f": {_named([VariableEdit(kind, path, value) for (kind, path), value in values.items()])}.", []
    sentence = f": {_named(edits)}."
    if session.stop_point is not None:
        return sentence, [Button(key, "Set now", apply_edits, (edits,), help="Edit the paused run")]
    # What a node has written wins over the input of a later turn.
    if view.hint.kind != "message" or any(edit.name in scope.runtime for edit in edits):
        return sentence, []
    hint = "Add it to the run input of the next turn"
    return sentence, [Button(key, "Set with the next message", set_with_next, (edits,), help=hint)]


def _has_run(view: RunView, node: NodeConfig) -> bool:
    """Return whether a node at which the run is paused has written its variables."""
    types = _types_at(view, node)
    return not types or bool({"end_node_run", *LEAVING_TYPES}.intersection(types))


def _types_at(view: RunView, node: NodeConfig) -> list[str]:
    """Return the types of a node's events in its run that is paused, the last one first.

    They go back to the last `start_node_run`, if there is one. Empty where the run is not paused or the
    node has no event.
    """
    stop, types = view.session.stop_point, []
    for event in reversed(stop.log.events[: stop.position + 1]) if stop is not None else ():
        if node_of(event) == node.logical_id:
            types.append(event.type)
            if event.type == "start_node_run":
                break
    return types


def _pinning(
    view: RunView, expression: EdgeExpression, node: NodeConfig, key: str
) -> tuple[str, list[Button]]:
    """Return how a node that is about to run takes a step, as text, and the button that pins its answer.

    No button where no output of the node decides the step, where the node has done more than start, or where
    the backend has no pins, whose reason the text then has. A press puts the pin among the mocks.
    """
    output = pinned_output(expression, node, scope_now(view))
    advice = f", which {node.label} decides"
    buttons: list[Button] = []
    if output is None or _types_at(view, node) != ["start_node_run"]:
        return f"{advice}.", buttons
    pin = Pin(Target("node", node.logical_id), output, note=_FOR_STEP)
    if reason := view.session.backend.capabilities.reason_against("pins"):
        return f"{advice}. {reason}", buttons
    press = refresh.refreshing("workbench", mocks.put)
    hint = f"Pin an answer of {node.label}; Mocks has it, where you can change and remove it"
    return f"{advice}: {_named(_edits_of(pin))}.", [Button(key, _PIN, press, (pin,), help=hint)]


def _edits_of(pin: Pin) -> list[VariableEdit]:
    return [VariableEdit("runtime", name, value) for name, value in pin.output["variables"].items()]


def _named(edits: Sequence[VariableEdit]) -> str:
    brackets = {"dynamic": "{{{{{}}}}}", "runtime": "[[{}]]"}
    return ", ".join(f"{brackets[edit.scope].format(edit.name)} = {json_cell(edit.value)}" for edit in edits)


@action(role=Role.RUN)
def set_with_next(edits: Sequence[VariableEdit]) -> None:
    """Add variables to the input of the next turn.

    Writes them into `RunInputs.next`, in place of those with the same name, and lets all editors begin anew.
    An error is kept in `LastAction`.
    """
    model = state.record(RunInputs).next
    for edit in edits:
        tier = "dynamic_variables" if edit.scope == "dynamic" else "runtime_variables"
        model.set_key(tier, {**(model.value.get(tier) or {}), edit.name: edit.value})
    state.renew_editors()


def draw_missing_values(view: RunView) -> None:
    """Draw what the last node of an ended run had no value for.

    It is the bar `missing_values`: the paths, at most six, a button for each of the first four steps, which
    runs the last turn again in a fork with values, and one for the rest. Where variables can be named, two
    more buttons open the fork dialog and the setup dialog with them. Nothing is drawn where none is missing.
    """
    missing = _missing(view)
    if missing is None:
        return
    shown = listed(["{{" + path + "}}" for path in missing.paths], _MOST_PATHS)
    said = f"No value for {shown}." if shown else "Other values lead to:"
    items: list[Item] = [Text(said, look="message")]
    for place, step in enumerate(missing.steps[:_MOST_STEPS]):
        hint = f"Run the turn again in a fork, with {_named(step.edits)}"
        press = refresh.refreshing("workbench", take_with_values)
        items.append(Button(f"take_{place}", f"→ {step.label}", press, (step,), look="tertiary", help=hint))
    items += _rest("values", len(missing.steps))
    if missing.names:
        hint = "Run the last turn again in a fork, with values that you set"
        items.append(
            Button("fork_with_values", "Set in a fork …", fork_with_values, (missing.names,), help=hint)
        )
        hint = "Set them in the run input, then start another run"
        items.append(
            Button(
                "restart_with_values",
                "Restart with changes …",
                restart_with_values,
                (missing.names,),
                help=hint,
            )
        )
    bar("missing_values", items, low=True)


_MOST_PATHS = 6


def _missing(view: RunView) -> UnsetVariables | None:
    """Return what the last node of an ended run had no value for, worked out once per revision.

    ``None`` where nothing is missing and no value opens a step, and also in the past, while busy, without
    turns, in the demo view, in a run that is not over, cancelled, deleted or not wholly loaded, and where
    the backend runs no turns.
    """
    session = view.session
    if view.is_past or view.is_busy or not view.turns or state.record(ViewMode).is_demo:
        return None
    if not session.is_over or session.status == "cancelled" or session.is_deleted or session.turns_to_load:
        return None
    if session.backend.capabilities.reason_against("run_turns"):
        return None
    return view.memo("missing values", lambda: _missing_in(view))


def _missing_in(view: RunView) -> UnsetVariables | None:
    """Return the unset variables at the run's current node, and the steps that values of them open.

    Steps that an answer as the model takes are left out. ``None`` without paths and steps, and where the
    running workflow does not have the current node.
    """
    running = Graph(run_history(view).workflow)  # has the nodes inside super nodes
    node = running.nodes.get(view.position.current or "")
    if node is None:
        return None
    missing = unset_variables(node, running, scope_now(view))
    undecided_ = _undecided(view)
    answered = {step.edge for step in undecided_.steps} if undecided_ is not None else set()
    steps = tuple(step for step in missing.steps if step.edge not in answered)
    return UnsetVariables(missing.paths, steps) if missing.paths or steps else None


@action(role=Role.RUN, takes_session=True)
def take_with_values(session: DebugSession, step: OpenedStep) -> None:
    """Run the last turn again in a fork, with values that open a step.

    For a step with a pin the fork gets the mocks of the session and the pin. The user may be asked first, and
    the fork is shown. Nothing happens before the run is stored or in a turn; errors are in `LastAction`.
    """
    pin = step.pin

    def prepare(fork: DebugSession) -> None:
        if pin is not None:
            fork.mocks.take(session.mocks.to_json())
            fork.mocks.put(pin)

    if session.turns:
        fork_actions.run_with_edits(session.turns[-1].number, step.edits, prepare)


@action(role=Role.RUN, takes_session=True)
def fork_with_values(session: DebugSession, names: Sequence[str]) -> None:
    """Prepare a fork of the last turn, if there is one, in which variables can be set.

    Opens the fork dialog with its dynamic variables first, and gives each named one that the draft does not
    have an empty text. Without a draft only the first part is tried; an error is kept in `LastAction`.
    """
    if not session.turns:
        return
    fork_actions.open_fork(session.turns[-1].number)
    draft = state.record(ForkState).draft
    if draft is not None:
        known = draft.variables.shown[DYNAMIC]
        draft.variables.set_values(VariableEdit("dynamic", name, "") for name in names if name not in known)
        state.record(ForkState).first_tier = DYNAMIC


@action(role=Role.RUN, takes_session=True)
def restart_with_values(session: DebugSession, names: Sequence[str]) -> None:
    """Open the run input of another run, in which variables can be set.

    Gives each named dynamic variable that the start input does not have an empty text, lets all editors begin
    anew, and opens the setup dialog for a restart. An error is kept in `LastAction`.
    """
    model = actions.start_input(session)
    values = model.value.get("dynamic_variables") or {}
    model.set_key("dynamic_variables", {**dict.fromkeys(names, ""), **values})
    state.renew_editors()
    setup.open_restart()
