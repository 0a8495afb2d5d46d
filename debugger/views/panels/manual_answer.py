"""Form in which the user answers in a model's place."""

from __future__ import annotations

import streamlit as st

from debugger.engine.mocks import Pin
from debugger.engine.mocks.interceptor import PERSON
from debugger.engine.models.base import Prompt, ToolSpec, TransitionOption
from debugger.session.human_input import AnswerForm, PendingPrompt, blank, form_of
from debugger.store import Role
from debugger.views import actions, state
from debugger.views.actions import command
from debugger.views.auth.permissions import denied, on_click, requires
from debugger.views.components.markdown import plain
from debugger.views.run_state import CurrentRun
from debugger.views.run_view import RunView

_NO_EDGE = ""
_ANSWER_SECONDS = 0.4
"""Wait of a click for the effect of an answer, so that one drawing shows both."""


def manual_answer(view: RunView) -> None:
    """Draw the form, while something waits for an answer."""
    inquiry = view.session.human_input.pending
    if inquiry is None:
        return
    prompt = inquiry.prompt
    lead = f"desk_{inquiry.number}"
    first = form_of(inquiry.suggestion)
    with st.container(border=True, key="desk"):
        st.markdown(f"**:material/edit: Be the model of {plain(prompt.node_name)}**")
        _prompt(prompt)
        if prompt.kind == "say":
            st.text_area("Reply", first.text, key=f"{lead}_text", height=90)
        if prompt.choices:
            _edges(prompt, first, lead)
        for place, offer in enumerate(prompt.tools):
            _tool(offer, dict(first.calls).get(offer.name), f"{lead}_tool_{place}")
        if prompt.schema:
            text = first.fields or blank(prompt.schema)
            st.text_area("Structured output as JSON", text, key=f"{lead}_fields", height=120)
        _buttons(inquiry, lead)


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


def _edges(prompt: Prompt, first: AnswerForm, lead: str) -> None:
    ids = [_NO_EDGE, *(choice.edge_id for choice in prompt.choices)]
    words = {choice.edge_id: _edge_words(choice) for choice in prompt.choices}
    state.begin_widget(f"{lead}_edge", first.chosen if first.chosen in ids else _NO_EDGE)
    chosen = st.radio(
        "Edge", ids, key=f"{lead}_edge", format_func=lambda edge: plain(words.get(edge, "None: stay here"))
    )
    choice = next((one for one in prompt.choices if one.edge_id == chosen), None)
    if choice is None:
        return
    st.text_input("Why this edge", first.reason, key=f"{lead}_reason")
    if choice.args_schema:
        text = first.args or blank(choice.args_schema)
        st.text_area("Arguments of the edge as JSON", text, key=f"{lead}_args", height=90)


def _edge_words(choice: TransitionOption) -> str:
    name = f" ({choice.edge_name})" if choice.edge_name else ""
    return f"to {choice.destination_node_name}{name}: {choice.condition}"


def _tool(offer: ToolSpec, text: str | None, key: str) -> None:
    state.begin_widget(f"{key}_on", text is not None)
    is_called = st.checkbox(f"Call {plain(offer.name)}", key=f"{key}_on", help=plain(offer.signature) or None)
    if is_called:
        text = text or blank(offer.args_schema)
        st.text_area(f"Arguments of {plain(offer.name)} as JSON", text, key=f"{key}_args", height=90)


def _buttons(inquiry: PendingPrompt, lead: str) -> None:
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.button(
            "Answer",
            key="desk_answer",
            type="primary",
            icon=":material/send:",
            args=(inquiry, lead),
            **on_click(_answer),
        )
        st.button(
            "Let the stand-in answer",
            key="desk_stand_in",
            icon=":material/smart_toy:",
            **on_click(use_fallback, help="It would say what the form was first filled with"),
        )
        st.checkbox(
            "Answer the same next time",
            key=f"{lead}_pin",
            disabled=bool(denied(_answer)),
            help="Pin this answer: the node's model gives it from now on",
        )


@command
@requires(Role.RUN)
def _answer(inquiry: PendingPrompt, lead: str) -> None:
    prompt = inquiry.prompt

    def typed(name: str) -> str:
        return str(state.widget(f"{lead}_{name}") or "")

    calls = [
        (offer.name, typed(f"tool_{place}_args"))
        for place, offer in enumerate(prompt.tools)
        if state.widget(f"{lead}_tool_{place}_on")
    ]
    # Who picks an edge does not mean the words that the stand-in would have stayed with.
    is_left_over = bool(typed("edge")) and typed("text") == inquiry.suggestion.text
    text = "" if is_left_over else typed("text")
    form = AnswerForm(text, typed("edge"), typed("reason"), typed("args"), typed("fields"), calls)
    answer(form, is_pinned=bool(state.widget(f"{lead}_pin")))


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
