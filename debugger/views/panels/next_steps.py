"""Offers of next steps that the user can take in place of a model."""

from __future__ import annotations

from collections.abc import Sequence

from debugger.analysis.undecided import EdgeExpression, Step, Undecided, edge_expression, undecided_nodes
from debugger.engine.variables import VariableEdit
from debugger.expressions import Scope
from debugger.expressions.solutions import solution
from debugger.graph import Graph
from debugger.protocol.runs import MAIN_THREAD
from debugger.session.fork_draft import DYNAMIC
from debugger.session.human_input import NextStep
from debugger.session.session import DebugSession
from debugger.session.step_values import OpenedStep, UnsetVariables, needed_for, unset_variables
from debugger.store import Role
from debugger.views import actions, refresh, state
from debugger.views.actions import action
from debugger.views.components.markdown import json_cell, listed
from debugger.views.components.toolbar import Button, Item, Text, bar
from debugger.views.navigation import ViewMode
from debugger.views.panels import fork_actions, setup
from debugger.views.panels.fork_actions import ForkState
from debugger.views.panels.variable_edits import apply_edits
from debugger.views.run_state import RunInputs, Selection
from debugger.views.run_view import RunView, run_history, run_view

_MOST_STEPS = 4


def draw_undecided(view: RunView) -> None:
    """Draw the offer to answer as the model where the stand-in chose no edge."""
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

    def undecided() -> Undecided | None:
        found = undecided_nodes(turn, view.graph, is_over=session.is_over)
        if found is None or all(node in view.graph.nodes for node in found.nodes):
            return found
        running = Graph(run_history(view).workflow)  # one is inside a super node
        return undecided_nodes(turn, running, is_over=session.is_over)

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


def scope_now(view: RunView) -> Scope:
    """Return the variables of the main thread now."""
    history = run_history(view)
    return history.moments.at(None).scope(MAIN_THREAD, history.workflow)


def step_advice(view: RunView) -> None:
    """Draw what takes the selected edge, if an expression decides, with a button."""
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
    """Return the values that make an expression true, as text, and their button."""
    session, scope = view.session, scope_now(view)
    values = solution(expression.text, scope, others=expression.before)
    if values is None:
        return f". {needed_for(expression)}", []
    if not values:
        return ", as is the case now.", []
    edits = [VariableEdit(kind, name, value) for (kind, name), value in values.items()]
    sentence = f": {_named(edits)}."
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


def _named(edits: Sequence[VariableEdit]) -> str:
    brackets = {"dynamic": "{{{{{}}}}}", "runtime": "[[{}]]"}
    return ", ".join(f"{brackets[edit.scope].format(edit.name)} = {json_cell(edit.value)}" for edit in edits)


@action(role=Role.RUN)
def set_with_next(edits: Sequence[VariableEdit]) -> None:
    """Add variables to the input of the next turn."""
    model = state.record(RunInputs).next
    for edit in edits:
        tier = "dynamic_variables" if edit.scope == "dynamic" else "runtime_variables"
        model.set_key(tier, {**(model.value.get(tier) or {}), edit.name: edit.value})
    state.renew_editors()


def draw_missing_values(view: RunView) -> None:
    """Draw what the last node of an ended run had no value for."""
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
    session = view.session
    if view.is_past or view.is_busy or not view.turns or state.record(ViewMode).is_demo:
        return None
    if not session.is_over or session.status == "cancelled" or session.is_deleted or session.turns_to_load:
        return None
    if session.backend.capabilities.reason_against("run_turns"):
        return None
    return view.memo("missing values", lambda: _missing_in(view))


def _missing_in(view: RunView) -> UnsetVariables | None:
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
    """Run the last turn again in a fork, with values that open a step."""
    fork_actions.run_with_edits(session.turns[-1].number, step.edits)


@action(role=Role.RUN, takes_session=True)
def fork_with_values(session: DebugSession, names: Sequence[str]) -> None:
    """Prepare a fork of the last turn in which variables can be set."""
    fork_actions.open_fork(session.turns[-1].number)
    draft = state.record(ForkState).draft
    if draft is not None:
        known = draft.variables.shown[DYNAMIC]
        draft.variables.set_values(VariableEdit("dynamic", name, "") for name in names if name not in known)
        state.record(ForkState).first_tier = DYNAMIC


@action(role=Role.RUN, takes_session=True)
def restart_with_values(session: DebugSession, names: Sequence[str]) -> None:
    """Open the run input of another run, in which variables can be set."""
    model = actions.start_input(session)
    values = model.value.get("dynamic_variables") or {}
    model.set_key("dynamic_variables", {**dict.fromkeys(names, ""), **values})
    state.renew_editors()
    setup.open_restart()
