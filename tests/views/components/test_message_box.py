from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.views.message import box, send, send_stepped, tell

PAGE = """
import streamlit as st

from debugger.views.components.message_box import message_box

st.session_state.setdefault("sent", [])
message_box("message", "Say something.", st.session_state.sent.append, {more})
"""


@pytest.fixture
def draw():
    """Gives the first drawing of a page with a box that keeps what is sent."""
    return lambda more="": AppTest.from_string(PAGE.format(more=more)).run()


def test_what_is_sent_is_taken_once(draw):
    app = draw()

    send(app, "green tea")
    app.run()

    assert app.session_state["sent"] == ["green tea"]


def test_box_sends_key_that_leads_to_it(draw):
    assert box(draw())["shortcut"] is None
    assert box(draw('shortcut="M"'))["shortcut"] == "M"


def test_same_words_can_be_sent_again(draw):
    app = draw()

    send(app, "yes")
    send(app, "yes")

    assert app.session_state["sent"] == ["yes", "yes"]


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 500_001, None, 7])
def test_what_is_no_message_is_not_sent(draw, text):
    app = draw()

    send(app, text)

    assert app.session_state["sent"] == []


def test_nothing_is_sent_while_nothing_is_waited_for(draw):
    app = draw("disabled=True")

    send(app, "green tea")

    assert box(app)["disabled"]
    assert app.session_state["sent"] == []


def test_words_are_words_whatever_they_look_like(draw):
    app = draw("draft='<b>**bold**</b>'")

    assert box(app)["draft"] == "<b>**bold**</b>"


def test_line_for_offers_is_kept_only_where_there_may_be_some(draw):
    assert box(draw())["offers"] is None
    assert box(draw("offers=[]"))["offers"] == []
    assert box(draw("offers=['Hello.']"))["offers"] == ["Hello."]


def test_suggestion_reaches_browser(draw):
    assert box(draw())["suggestion"] == ""
    assert box(draw("suggestion='Hello.'"))["suggestion"] == "Hello."


STEPS = "on_step=lambda text, kind: st.session_state.sent.append((text, kind))"


def test_text_to_step_is_taken_with_kind(draw):
    app = draw(STEPS)

    send_stepped(app, "green tea", "node")

    assert box(app)["steps"]
    assert app.session_state["sent"] == [("green tea", "node")]


HERE = ["", ""]


@pytest.mark.parametrize(
    "sent",
    [["green tea", HERE, "hour"], ["", HERE, "event"], ["green tea", HERE], ["green tea"], "green tea", None],
)
def test_what_names_no_step_is_not_sent(draw, sent):
    app = draw(STEPS)

    tell(app, "stepped", sent)

    assert app.session_state["sent"] == []


def test_nothing_is_stepped_where_nothing_can_be(draw):
    locked, without = draw(f"disabled=True, {STEPS}"), draw()

    send_stepped(locked, "green tea", "event")
    send_stepped(without, "green tea", "event")

    assert not box(without)["steps"]
    assert locked.session_state["sent"] == without.session_state["sent"] == []


KEEPS = "on_refuse=lambda place, text: st.session_state.sent.append(('kept', place, text))"


@pytest.mark.parametrize("locked", ["disabled=True", "takes=lambda place: place == ['run 1', 'x']"])
def test_message_that_cannot_be_sent_is_kept(draw, locked):
    app = draw(f"{locked}, place=('run 2', 'y'), {STEPS}, {KEEPS}")

    send(app, "green tea")
    send_stepped(app, "black tea", "node")

    kept = [("kept", ["run 2", "y"], "green tea"), ("kept", ["run 2", "y"], "black tea")]
    assert app.session_state["sent"] == kept
