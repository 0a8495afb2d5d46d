"""Form in which the user answers in a model's place."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from debugger.analysis.position import NextEdge
from debugger.analysis.undecided import EdgeExpression, edge_expression
from debugger.engine.mocks import Pin
from debugger.engine.mocks.interceptor import PERSON
from debugger.engine.models.base import Prompt, ToolSpec
from debugger.errors import ConflictError
from debugger.expressions import Scope
from debugger.protocol.runs import MAIN_THREAD
from debugger.session.human_input import AnswerForm, NextStep, PendingPrompt, blank
from debugger.session.session import DebugSession
from debugger.store import Role
from debugger.views import actions, state
from debugger.views.actions import action
from debugger.views.auth.permissions import explain_denial, on_click
from debugger.views.components.markdown import plain, with_code
from debugger.views.panels.drawn_graph import drawn_graph
from debugger.views.run_state import Element
from debugger.views.run_view import RunView, run_history, run_view

_NO_EDGE = ""
_ANSWER_SECONDS = 0.4
"""Wait of a click for the effect of an answer, so that one drawing shows both."""


def manual_answer(view: RunView) -> None:
    """Draw the form, while something waits for an answer.

    It has the prompt, the fields that the prompt asks for, and the buttons to answer. Its session keys begin
    with `desk_` and the prompt's number. Fields that cannot be used have a problem below them. Nothing is
    drawn where no prompt waits.
    """
    inquiry = view.session.human_input.pending
    if inquiry is None:
        return
    prompt, typed = inquiry.prompt, _typed(inquiry)
    lead, first, problems = _lead(inquiry), inquiry.first_form, typed.problems(prompt)
    with st.container(border=True, key="desk"):
        with st.container(border=False, key="desk_body"):
            st.markdown(f"**:material/edit: Answer as the model of {plain(prompt.node_name)}**")
            if inquiry.note:
                st.caption(with_code(inquiry.note, inquiry.needed))
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
                st.text_input("Reason for this edge", first.reason, key=f"{lead}_reason")
            st.checkbox(
                "Answer the same next time",
                key=f"{lead}_pin",
                disabled=bool(explain_denial(answer)),
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
    """Draw a box with the prompt: system prompt or condition, the user's message, and the exchange so far."""
    with st.expander("Prompt", type="compact", key="desk_prompt"):
        st.caption("Condition" if prompt.kind == "judge" else "System prompt")
        st.text(prompt.system or "(empty)")
        if prompt.message:
            st.caption("The user says")
            st.text(prompt.message)
        for message in prompt.exchange:
            st.caption(str(message.get("name") or message.get("type")))
            st.text(str(message.get("content") or ""))


def _edges(inquiry: PendingPrompt, lead: str, problem: str | None) -> None:
    """Draw the choice of the next step, and the arguments of the chosen edge as JSON where it has a schema.

    The first option takes no edge. A problem is drawn below the arguments, and not without them.
    """
    prompt, first = inquiry.prompt, inquiry.first_form
    ids, words = [_NO_EDGE], {}
    for option in prompt.choices:
        ids.append(option.edge_id)
        name = f" ({option.edge_name})" if option.edge_name else ""
        words[option.edge_id] = f"to {option.destination_node_name}{name}: {option.condition}"
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


def _tool(offer: ToolSpec, text: str | None, key: str) -> None:
    """Draw the box that chooses a tool's call and, where it is ticked, the arguments as JSON.

    It is ticked at first where there is a text; without one the arguments begin with an example.
    """
    state.begin_widget(f"{key}_on", text is not None)
    is_called = st.checkbox(f"Call {plain(offer.name)}", key=f"{key}_on", help=plain(offer.signature) or None)
    if is_called:
        text = text or blank(offer.args_schema)
        st.text_area(f"Arguments of {plain(offer.name)} as JSON", text, key=f"{key}_args", height=90)


def _typed(inquiry: PendingPrompt) -> AnswerForm:
    """Return the content of the form, with first values of fields not drawn yet.

    Reads the session state only. The text is empty where an edge is chosen and the text is still that of the
    built-in rules; arguments are empty unless the chosen edge has a schema, fields unless the prompt has one.
    """
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
    # Who picks an edge does not mean the words that the built-in rules would have stayed with.
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
    """Draw the buttons that submit the form and that let the built-in rules answer.

    They are disabled, with the reason as their help, for a user without the role to run.
    """
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="desk_buttons"):
        st.button(
            "Answer",
            key="desk_answer",
            type="primary",
            icon=":material/send:",
            args=(inquiry,),
            **on_click(answer),
        )
        st.button(
            "Let the built-in rules answer",
            key="desk_rules",
            icon=":material/smart_toy:",
            args=(inquiry,),
            **on_click(use_fallback, help="The form was filled with its answer"),
        )


@action(role=Role.RUN, takes_session=True)
def choose_step(session: DebugSession, element: Element | None) -> None:
    """Choose a step of the graph as the answer of the waiting model.

    Fills the form, or submits an answer that the step settles, and waits briefly for the effect. Nothing
    happens where no model waits, without an element, in the past, and for an element that is neither offered
    nor a next step that an expression or a model decides. An error is kept in `LastAction`.
    """
    inquiry = session.human_input.pending
    if inquiry is None or element is None:
        return
    view = run_view(session)
    if view.is_past:  # where nothing changes the run
        return
    edge = _next_edge(element, view)
    step = NextStep(edge=element.id) if element.kind == "edge" else NextStep(node=element.id)
    if step.choice_of(inquiry.prompt) is None:
        if edge is None:
            return
        expression = expression_of(edge, inquiry.prompt, view)
        if expression is None and not _is_judged(edge, view):
            return
        step = replace(step, expression=expression, scope=scope_now(view))
    session.human_input.choose(step)
    chosen = session.human_input.pending
    if chosen is not None and chosen.number == inquiry.number:
        _fill(chosen)
    session.wait_until_idle(_ANSWER_SECONDS)


def _fill(inquiry: PendingPrompt) -> None:
    """Put the first values of a step that was just chosen into the form.

    Writes the session keys of the edge, the structured output, and calls of tools that are not ticked yet.
    What the step does not decide stays as typed.
    """
    lead, fields = _lead(inquiry), inquiry.step_fields
    if inquiry.chosen is not None or (fields is not None and inquiry.prompt.choices):
        state.set_widget_from_callback(f"{lead}_edge", inquiry.first_form.chosen)
    if fields is not None:
        state.set_widget_from_callback(f"{lead}_fields", inquiry.first_fields)
    calls = dict(inquiry.first_form.calls)
    for place, offer in enumerate(inquiry.prompt.tools):
        if offer.name in calls and not state.widget(f"{lead}_tool_{place}_on"):
            state.set_widget_from_callback(f"{lead}_tool_{place}_on", True)
            state.set_widget_from_callback(f"{lead}_tool_{place}_args", calls[offer.name])


def scope_now(view: RunView) -> Scope:
    """Return the variables of the main thread now."""
    history = run_history(view)
    return history.moments.at(None).scope(MAIN_THREAD, history.workflow)


def expression_of(edge: NextEdge, prompt: Prompt, view: RunView) -> EdgeExpression | None:
    """Return the expression of a next step, with what an answer sets of it.

    ``None`` where the drawn graph lacks the edge or the prompt's node, and where no expression decides.
    """
    graph = drawn_graph(view).graph
    config, asked = graph.edges.get(edge.edge_id or ""), graph.nodes.get(prompt.node_logical_id)
    if config is None or asked is None:
        return None
    threads = {node: thread for thread, node in view.position.companions.items()}
    is_own = config.source_node_logical_id == asked.logical_id
    return edge_expression(config, graph, asked, None if is_own else threads.get(asked.logical_id))


def _is_judged(edge: NextEdge, view: RunView) -> bool:
    """Return whether a model judges a possible next step."""
    config = drawn_graph(view).graph.edges.get(edge.edge_id or "")
    condition = config.condition if config is not None else None
    return edge.kind != "edge" or bool(condition and not condition.condition_expression)


def _next_edge(element: Element, view: RunView) -> NextEdge | None:
    """Return the possible next step that an element of the graph names.

    An edge is found by its id, a node as the destination of the first step to it; else ``None``.
    """
    for step in drawn_graph(view).position.next_edges:
        if element.id == (step.edge_id if element.kind == "edge" else step.destination):
            return step
    return None


@action(role=Role.RUN, takes_session=True)
def answer(session: DebugSession, inquiry: PendingPrompt) -> None:
    """Submit the form as the model's answer.

    If the box for it is ticked, the node's model answers the same from now on, which is stored with the debug
    setup. Nothing happens with a problem in the form, or where nothing waits any more. Where another model
    waits by now, a `ConflictError` is kept in `LastAction`; so is any other error.
    """
    prompt, form = inquiry.prompt, _typed(inquiry)
    if form.problems(prompt) or not _is_waiting(session, prompt):  # the fields say what is wrong
        return
    reply = form.reply(prompt)
    session.human_input.answer(reply)
    if state.widget(f"{_lead(inquiry)}_pin"):
        session.mocks.put(Pin.of_reply(prompt.node_logical_id, reply, note=f"by a {PERSON}"))
        actions.store_debug_setup()
    session.wait_until_idle(_ANSWER_SECONDS)


@action(role=Role.RUN, takes_session=True)
def use_fallback(session: DebugSession, inquiry: PendingPrompt) -> None:
    """Let script and built-in rules answer what waits.

    Nothing happens where nothing waits any more. Where another model waits by now, a `ConflictError` is kept
    in `LastAction`.
    """
    if _is_waiting(session, inquiry.prompt):
        session.human_input.use_fallback()
        session.wait_until_idle(_ANSWER_SECONDS)


def _is_waiting(session: DebugSession, prompt: Prompt) -> bool:
    """Return whether a prompt waits; another tab may have answered it.

    Raises:
        ConflictError: Another one waits.
    """
    pending = session.human_input.pending
    if pending is not None and pending.prompt is not prompt:
        raise ConflictError(
            f"The model of {prompt.node_name} was answered already.",
            advice=f"The form is now for the model of {pending.prompt.node_name}.",
        )
    return pending is not None
