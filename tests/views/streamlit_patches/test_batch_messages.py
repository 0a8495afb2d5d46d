from __future__ import annotations

import asyncio

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from debugger.views.streamlit_patches import batch_messages
from debugger.views.streamlit_patches.batch_messages import BatchMessages


def message(kind, number=0):
    """Return a message from Streamlit to a browser."""
    told = ForwardMsg()
    if kind == "delta":
        told.delta.new_element.markdown.body = str(number)
    elif kind == "new_session":
        told.new_session.name = str(number)
    elif kind == "script_finished":
        told.script_finished = number
    else:
        told.session_status_changed.run_on_save = bool(number)
    return {"type": "websocket.send", "bytes": told.SerializeToString()}


class Browser:
    """Notes what it is sent, and when in the course of a script."""

    def __init__(self):
        self.got = []

    async def receive(self, sent):
        self.got.append(sent)


def talk(app, kind="websocket"):
    """Let an app send to a browser through what stands between them."""
    browser = Browser()
    asyncio.run(BatchMessages(lambda *given: app(browser, *given))({"type": kind}, None, browser.receive))
    return browser


def test_what_script_draws_goes_out_when_it_ends_and_in_its_order():
    begun = [message("new_session"), message("status", 1)]
    drawn = [message("delta", 1), message("delta", 2)]
    before = []

    async def app(browser, scope, receive, send):
        for each in [*begun, *drawn]:
            await send(each)
        before.extend(browser.got)
        await send(message("script_finished"))

    browser = talk(app)

    assert before == begun
    assert browser.got == [*begun, *drawn, message("script_finished")]


def test_what_comes_outside_of_script_goes_out_at_once():
    before = []

    async def app(browser, scope, receive, send):
        await send({"type": "websocket.accept"})
        await send(message("status", 1))
        before.extend(browser.got)

    talk(app)

    assert before == [{"type": "websocket.accept"}, message("status", 1)]


def test_what_slow_script_has_drawn_goes_out_before_it_ends(monkeypatch):
    monkeypatch.setattr(batch_messages, "_LONGEST", 0.02)
    seen = []

    async def app(browser, scope, receive, send):
        await send(message("new_session"))
        await send(message("delta", 1))
        await asyncio.sleep(0.1)
        seen.append(len(browser.got))
        await send(message("delta", 2))
        seen.append(len(browser.got))
        await asyncio.sleep(0.1)
        seen.append(len(browser.got))

    talk(app)

    assert seen == [2, 2, 3]


def test_two_scripts_one_after_other_go_out_each_at_its_end():
    seen = []

    async def app(browser, scope, receive, send):
        for number in (1, 2):
            await send(message("new_session", number))
            await send(message("delta", number))
            seen.append(len(browser.got))
            await send(message("script_finished"))
            seen.append(len(browser.got))

    talk(app)

    assert seen == [1, 3, 4, 6]


@pytest.mark.parametrize("closing", [{"type": "websocket.close"}, {"type": "websocket.send", "text": "bye"}])
def test_what_is_kept_back_goes_out_before_anything_else_than_script(closing):
    async def app(browser, scope, receive, send):
        await send(message("new_session"))
        await send(message("delta", 1))
        await send(closing)

    browser = talk(app)

    assert browser.got == [message("new_session"), message("delta", 1), closing]


def test_browser_that_has_gone_ends_nothing_but_its_own_connection(monkeypatch):
    monkeypatch.setattr(batch_messages, "_LONGEST", 0.01)

    async def gone(sent):
        raise OSError("The connection is closed.")

    async def app(scope, receive, send):
        await send(message("delta"))
        await asyncio.sleep(0.05)
        with pytest.raises(OSError, match="closed"):
            await send(message("script_finished"))

    asyncio.run(BatchMessages(app)({"type": "websocket"}, None, gone))


def test_request_for_page_is_handed_on_as_it_is():
    async def app(browser, scope, receive, send):
        await send({"type": "http.response.start"})
        assert browser.got == [{"type": "http.response.start"}]

    talk(app, "http")
