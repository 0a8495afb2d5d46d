"""Form in which the user answers in a model's place."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.undecided import Step, Undecided, undecided_node
from debugger.engine.mocks import Pin
from debugger.engine.mocks.interceptor import PERSON
from debugger.engine.models.base import Prompt, ToolSpec, TransitionOption
from debugger.graph import Graph
from debugger.protocol.turn_logs import TurnLog
from debugger.session.human_input import AnswerForm, NextStep, PendingPrompt, blank
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import actions, refresh, state
from debugger.views.actions import command
from debugger.views.auth.permissions import denied, on_click, requires
from debugger.views.components.markdown import plain
from debugger.views.components.toolbar import Button, Item, Text, bar
from debugger.views.navigation import ViewMode
from debugger.views.panels import fork_actions
from debugger.views.panels.drawn_graph import drawn_graph
from debugger.views.run_state import CurrentRun
from debugger.views.run_view import RunView, run_history, run_view
from debugger.views.selection import Element

_NO_EDGE = ""
_MOST_STEPS = 4
_ANSWER_SECONDS = 0.4
"""Wait of a click for the effect of an answer, so that one drawing shows both."""


def manual_answer(view: RunView) -> None:
    """Draw the form, while something waits for an answer."""
    inquiry = view.session.human_input.pending
    if inquiry is None:
        return
    prompt, typed = inquiry.prompt, _typed(inquiry)
    lead, first, problems = _lead(inquiry), inquiry.first_form, typed.problems(prompt)
    with st.container(border=True, key="desk"):
        with st.container(border=False, key="desk_body"):
            st.markdown(f"**:material/edit: Be the model of {plain(prompt.node_name)}**")
            _prompt(prompt)
            if prompt.choices:
                _edges(inquiry, lead, problems.get("args"))
            if prompt.kind == "say":
                st.text_area("Reply", first.text, key=f"{lead}_text", height=70)
            if prompt.schema:
                st.text_area(
                    "Structured output as JSON", inquiry.first_fields, key=f"{lead}_fields", height=120
                )
                _problem(problems.get("fields"))
            for place, offer in enumerate(prompt.tools):
                _tool(offer, dict(first.calls).get(offer.name), f"{lead}_tool_{place}")
                _problem(problems.get(f"tool_{place}"))
            if typed.chosen:
                st.text_input("Why this edge", first.reason, key=f"{lead}_reason")
            st.checkbox(
                "Answer the same next time",
                key=f"{lead}_pin",
                disabled=bool(denied(_answer)),
                help="Pin this answer: the node's model gives it from now on",
            )
        if problems:
            _problem("Correct the field that is marked above.")
        _buttons(inquiry)


def _lead(inquiry: PendingPrompt) -> str:
    """Return how the keys of the form's widgets begin."""
    return f"desk_{inquiry.number}"


def _problem(sentence: str | None) -> None:
    """Draw why the field above cannot be used, if so."""
    if sentence:
        st.markdown(f":small[:red[:material/error: {plain(sentence)}]]")


def _prompt(prompt: Prompt) -> None:
    with st.expander("What the model is asked", type="compact", key="desk_prompt"):
        st.caption("Condition" if prompt.kind == "judge" else "System prompt")
        st.text(prompt.system or "(empty)")
        if prompt.message:
            st.caption("The user says")
            st.text(prompt.message)
        for message in prompt.exchange:
            st.caption(str(message.get("name") or message.get("type")))
            st.text(str(message.get("content") or ""))


def _edges(inquiry: PendingPrompt, lead: str, problem: str | None) -> None:
    prompt, first = inquiry.prompt, inquiry.first_form
    ids = [_NO_EDGE, *(choice.edge_id for choice in prompt.choices)]
    words = {choice.edge_id: _edge_words(choice) for choice in prompt.choices}
    none = "The condition does not hold" if prompt.kind == "judge" else f"Stay on {prompt.node_name}"
    state.begin_widget(f"{lead}_edge", first.chosen if first.chosen in ids else _NO_EDGE)
    chosen = st.radio(
        "Next step", ids, key=f"{lead}_edge", format_func=lambda edge: plain(words.get(edge, none))
    )
    choice = next((one for one in prompt.choices if one.edge_id == chosen), None)
    if choice is not None and choice.args_schema:
        key = f"{lead}_args_{ids.index(choice.edge_id)}"
        st.text_area("Arguments of the edge as JSON", inquiry.first_args(choice), key=key, height=120)
        _problem(problem)


def _edge_words(choice: TransitionOption) -> str:
    name = f" ({choice.edge_name})" if choice.edge_name else ""
    return f"to {choice.destination_node_name}{name}: {choice.condition}"


def _tool(offer: ToolSpec, text: str | None, key: str) -> None:
    state.begin_widget(f"{key}_on", text is not None)
    is_called = st.checkbox(f"Call {plain(offer.name)}", key=f"{key}_on", help=plain(offer.signature) or None)
    if is_called:
        text = text or blank(offer.args_schema)
        st.text_area(f"Arguments of {plain(offer.name)} as JSON", text, key=f"{key}_args", height=90)


def _typed(inquiry: PendingPrompt) -> AnswerForm:
    """Return what the form holds; a field that was not drawn yet has its first value."""
    lead, first, prompt = _lead(inquiry), inquiry.first_form, inquiry.prompt

    def typed(name: str, first_value: str) -> str:
        return str(state.widget(f"{lead}_{name}", first_value) or "")

    chosen, args = typed("edge", first.chosen), ""
    for place, choice in enumerate(prompt.choices, start=1):
        if choice.edge_id == chosen and choice.args_schema:
            args = typed(f"args_{place}", inquiry.first_args(choice))
    suggested = dict(first.calls)
    calls = [
        (offer.name, typed(f"tool_{place}_args", suggested.get(offer.name) or blank(offer.args_schema)))
        for place, offer in enumerate(prompt.tools)
        if state.widget(f"{lead}_tool_{place}_on", offer.name in suggested)
    ]
    text = typed("text", first.text)
    # Who picks an edge does not mean the words that the stand-in would have stayed with.
    is_left_over = bool(chosen) and text == inquiry.suggestion.text
    return AnswerForm(
        text="" if is_left_over else text,
        chosen=chosen,
        reason=typed("reason", first.reason),
        args=args,
        fields=typed("fields", inquiry.first_fields) if prompt.schema else "",
        calls=calls,
    )


def _buttons(inquiry: PendingPrompt) -> None:
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="desk_buttons"):
        st.button(
            "Answer",
            key="desk_answer",
            type="primary",
            icon=":material/send:",
            args=(inquiry,),
            **on_click(_answer),
        )
        st.button(
            "Let the stand-in answer",
            key="desk_stand_in",
            icon=":material/smart_toy:",
            **on_click(use_fallback, help="Its answer is what the form was first filled with"),
        )


@command
@requires(Role.RUN)
def _answer(inquiry: PendingPrompt) -> None:
    form = _typed(inquiry)
    if not form.problems(inquiry.prompt):  # else the fields say what is wrong
        answer(form, is_pinned=bool(state.widget(f"{_lead(inquiry)}_pin")))


@command
@requires(Role.RUN)
def choose_step(element: Element | None) -> None:
    """Choose a step of the graph as the next one of the model that waits."""
    session = state.record(CurrentRun).session
    inquiry = session.human_input.pending if session is not None else None
    if session is None or inquiry is None or element is None:
        return
    step = NextStep(**{element.kind: element.id})
    choice = step.choice_of(inquiry.prompt)
    if choice is not None:
        state.set_widget_from_callback(f"{_lead(inquiry)}_edge", choice.edge_id)
    elif not _is_judged(element, run_view(session)):
        return
    session.human_input.choose(step)
    session.wait_until_idle(_ANSWER_SECONDS)


def _is_judged(element: Element, view: RunView) -> bool:
    """Return whether a model is asked about a possible next step."""
    place = drawn_graph(view)
    for step in place.position.next_edges:
        if element.id == (step.edge_id if element.kind == "edge" else step.destination):
            edge = place.graph.edges.get(step.edge_id or "")
            condition = edge.condition if edge is not None else None
            return step.kind != "edge" or bool(condition and not condition.condition_expression)
    return False


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
        items.append(_offer(f"answer_with_{place}", f"→ {step.label}", found, step, hint))
    bar("undecided", items, low=True)


def _offer(key: str, label: str, found: Undecided, step: Step | None, hint: str) -> Button:
    return Button(
        key,
        label,
        refresh.refreshing("workbench", answer_as_model),
        (found.node, step),
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
    found = undecided_node(turn, view.graph)
    if found is None or found.node in view.graph.nodes:
        return found
    return undecided_node(turn, Graph(run_history(view).workflow))  # inside a super node


@command
@requires(Role.RUN)
def answer_as_model(node_id: str, step: Step | None) -> None:
    """Run the last turn again in a fork, where the user answers for a node's model.

    Args:
        node_id: The node.
        step: The step that the form begins with; ``None`` leaves that open.
    """
    session = state.record(CurrentRun).session
    if session is None or not session.turns:
        return
    nodes, asks_all = session.human_input.nodes, session.human_input.asks_all

    def prepare(fork: DebugSession) -> None:
        fork.human_input.nodes, fork.human_input.asks_all = nodes | {node_id}, asks_all
        if step is not None:
            fork.human_input.want(NextStep(step.edge, step.node), node_id)

    fork_actions.answer_turn_again(session.turns[-1].number, prepare)


@command
@requires(Role.RUN)
def answer(form: AnswerForm, *, is_pinned: bool = False) -> None:
    """Submit the form as the model's answer.

    ``is_pinned`` lets the node's model answer the same from now on.
    """
    session = state.record(CurrentRun).session
    if session is None or session.human_input.pending is None:
        return
    prompt = session.human_input.pending.prompt
    reply = form.reply(prompt)
    session.human_input.answer(reply)
    if is_pinned:
        session.mocks.put(Pin.of_reply(prompt.node_logical_id, reply, note=f"by a {PERSON}"))
        actions.store_debug_setup()
    session.wait_until_idle(_ANSWER_SECONDS)


@command
@requires(Role.RUN)
def use_fallback() -> None:
    """Let the stand-in answer what waits."""
    session = state.record(CurrentRun).session
    if session is not None:
        session.human_input.use_fallback()
        session.wait_until_idle(_ANSWER_SECONDS)
