"""Offers of next steps that the user can take in place of a model."""

from __future__ import annotations

from collections.abc import Sequence

from debugger.analysis.undecided import EdgeExpression, Step, Undecided, edge_expression, undecided_nodes
from debugger.engine.variables import VariableEdit
from debugger.expressions import Scope
from debugger.expressions.solutions import solution
from debugger.graph import Graph
from debugger.protocol.runs import MAIN_THREAD
from debugger.protocol.turn_logs import TurnLog
from debugger.session.answer_values import needed_for
from debugger.session.human_input import NextStep
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import refresh, state
from debugger.views.actions import command
from debugger.views.auth.permissions import requires
from debugger.views.components.markdown import json_cell
from debugger.views.components.toolbar import Button, Item, Text, bar
from debugger.views.navigation import ViewMode
from debugger.views.panels import fork_actions
from debugger.views.panels.variable_edits import apply_edits
from debugger.views.run_state import CurrentRun, RunInputs
from debugger.views.run_view import RunView, run_history, run_view
from debugger.views.selection import Selection

_MOST_STEPS = 4


def undecided(view: RunView) -> None:
    """Draw the offer to answer as the model where the stand-in chose no edge; nothing elsewhere."""
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
    bar("undecided", items, low=True)


def _offer(key: str, label: str, found: Undecided, step: Step | None, hint: str) -> Button:
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
    session = view.session
    reasons = session.backend.capabilities
    if view.is_past or view.is_busy or not view.turns or state.record(ViewMode).is_demo:
        return None
    if session.pending is not None or session.turns_to_load or session.is_deleted:
        return None
    if reasons.reason_against("manual_model") or reasons.reason_against("exact_fork"):
        return None
    turn = view.turns[-1]
    # A node that opens the conversation has nothing to decide on yet.
    if turn.is_background or not (turn.message or session.is_over):
        return None
    found: Undecided | None = view.memo("undecided", lambda: _undecided_in(view, turn))
    return found


def _undecided_in(view: RunView, turn: TurnLog) -> Undecided | None:
    is_over = view.session.is_over
    found = undecided_nodes(turn, view.graph, is_over=is_over)
    if found is None or all(node in view.graph.nodes for node in found.nodes):
        return found
    running = Graph(run_history(view).workflow)  # one is inside a super node
    return undecided_nodes(turn, running, is_over=is_over)


@command
@requires(Role.RUN)
def answer_as_model(node_ids: Sequence[str], step: Step | None) -> None:
    """Run the last turn again in a fork, where the user answers for the models of nodes.

    Args:
        node_ids: The nodes.
        step: The step that the form begins with, for which one node's answer is enough; ``None`` leaves that
            open.
    """
    session = state.record(CurrentRun).session
    if session is None or not session.turns:
        return
    nodes, asks_all = session.human_input.nodes, session.human_input.asks_all
    asked = node_ids if step is None else [step.asked]
    scope = scope_now(run_view(session))

    def prepare(fork: DebugSession) -> None:
        fork.human_input.nodes, fork.human_input.asks_all = nodes.union(asked), asks_all
        if step is not None:
            fork.human_input.want(NextStep(step.edge, step.node, step.expression, scope), step.asked)

    fork_actions.answer_turn_again(session.turns[-1].number, prepare)


def scope_now(view: RunView) -> Scope:
    """Return the variables of the main thread now."""
    history = run_history(view)
    return history.moments.at(None).scope(MAIN_THREAD, history.workflow)


def step_advice(view: RunView) -> None:
    """Draw what takes the selected edge, with a button that does it; nothing where no expression decides."""
    session, edge = view.session, view.graph.edges.get(state.record(Selection).edge or "")
    is_next = edge is not None and any(step.edge_id == edge.logical_id for step in view.position.next_edges)
    is_answered = session.human_input.pending is not None  # then a click fills the form
    if edge is None or not is_next or is_answered or view.is_past:
        return
    if view.is_busy and session.stop_point is None:
        return
    expression = edge_expression(edge, view.graph, view.graph.nodes[edge.source_node_logical_id or ""])
    if expression is None:
        return
    found = _undecided(view)
    offered = next((step for step in found.steps if step.edge == edge.logical_id), None) if found else None
    if found is not None and offered is not None:
        hint = "Run the turn again, and answer with this step"
        advice, items = ".", [_offer("answer_so", "Answer so", found, offered, hint)]
    elif expression.answered:
        advice, items = ", which the next answer of this node decides.", []
    else:
        advice, items = _setting(view, expression)
    bar("step_advice", [Text(f"Taken when {expression.text}{advice}", look="message"), *items], low=True)


def _setting(view: RunView, expression: EdgeExpression) -> tuple[str, list[Button]]:
    """Return the values that make an expression true, as the rest of a sentence, and the button for it."""
    session, scope = view.session, scope_now(view)
    values = solution(expression.text, scope, others=expression.before)
    if values is None:
        return f". {needed_for(expression)}", []
    if not values:
        return ", as is the case now.", []
    brackets = {"dynamic": "{{{{{}}}}}", "runtime": "[[{}]]"}
    named = [f"{brackets[kind].format(name)} = {json_cell(value)}" for (kind, name), value in values.items()]
    edits = [VariableEdit(kind, name, value) for (kind, name), value in values.items()]
    sentence = f": {', '.join(named)}."
    if any(not edit.name.isidentifier() for edit in edits):
        return sentence, []
    if session.stop_point is not None:
        return sentence, [Button("set_now", "Set now", apply_edits, (edits,), help="Edit the paused run")]
    # What a node has written wins over the input of a later turn.
    if view.hint.kind != "message" or any(edit.name in scope.runtime for edit in edits):
        return sentence, []
    hint = "Add it to the run input of the next turn"
    return sentence, [
        Button("set_with_next", "Set with the next message", set_with_next, (edits,), help=hint)
    ]


@command
@requires(Role.RUN)
def set_with_next(edits: Sequence[VariableEdit]) -> None:
    """Add variables to the input of the next turn."""
    model = state.record(RunInputs).next
    for edit in edits:
        tier = "dynamic_variables" if edit.scope == "dynamic" else "runtime_variables"
        model.set_key(tier, {**(model.value.get(tier) or {}), edit.name: edit.value})
    state.renew_editors()
