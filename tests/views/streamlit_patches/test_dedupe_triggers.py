from __future__ import annotations

import asyncio

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from debugger.views.streamlit_patches.dedupe_triggers import DedupeTriggers

SPEED = WidgetState(id="speed", double_value=2.0)
PRESS = WidgetState(id="play", trigger_value=True)


def asked(*widgets, by_itself):
    """Return a browser's request to run the script."""
    told = BackMsg()
    told.rerun_script.is_auto_rerun = by_itself
    told.rerun_script.query_string = "run=1"
    told.rerun_script.widget_states.widgets.extend(widgets)
    return {"type": "websocket.receive", "bytes": told.SerializeToString()}


def heard(message, kind="websocket"):
    """Return the message as the app receives it."""
    got = []

    async def app(scope, receive, send):
        got.append(await receive())

    async def receive():
        return message

    asyncio.run(DedupeTriggers(app)({"type": kind}, receive, None))
    return got[0]


@pytest.mark.parametrize(
    "press",
    [
        PRESS,
        WidgetState(id="menu", string_trigger_value={"data": "b"}),
        WidgetState(id="box", json_trigger_value='[{"event": "sent"}]'),
        WidgetState(id="chat", chat_input_value={"data": "hello"}),
    ],
    ids=["a button", "a menu", "an element of our own", "a chat box"],
)
def test_what_page_asks_by_itself_tells_of_no_press_and_of_all_else(press):
    assert heard(asked(press, SPEED, by_itself=True)) == asked(SPEED, by_itself=True)


def test_press_that_page_tells_of_is_heard():
    assert heard(asked(PRESS, SPEED, by_itself=False)) == asked(PRESS, SPEED, by_itself=False)


@pytest.mark.parametrize(
    "other",
    [
        asked(SPEED, by_itself=True),
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": "play"},
        {"type": "websocket.receive", "bytes": b"\xff"},
        {"type": "websocket.disconnect", "code": 1001},
    ],
    ids=["asked by itself", "connect", "text", "no message", "disconnect"],
)
def test_all_else_is_heard_as_it_is(other):
    assert heard(other) is other


def test_body_of_request_is_not_looked_at():
    body = {"type": "http.request", "bytes": b"\xff"}

    assert heard(body, "http") is body
