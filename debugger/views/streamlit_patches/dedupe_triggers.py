"""Presses that a polling page sends only once.

A browser notes a press and tells it a moment later. A page that asks for news in that moment (``run_every``)
sends it already, and then it is sent again: playing would pause and go on, a message be sent twice.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from debugger.views.asgi import Application, Message, Receive, Scope, Send

_PRESSES = ("trigger_value", "string_trigger_value", "json_trigger_value", "chat_input_value")
"""What Streamlit holds for one run of the script, and then forgets."""


class DedupeTriggers:
    """Middleware that removes presses from a page's polls.

    Args:
        app: Answers.
    """

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; from polls of a page presses are removed."""

        async def received() -> Message:
            return _without_presses(await receive())

        await self._app(scope, received if scope["type"] == "websocket" else receive, send)


def _without_presses(message: Message) -> Message:
    """Return a message from the page without presses, if it is a poll; any other as it is.

    So is one that cannot be decoded. The given message is not changed.
    """
    data = message.get("bytes")
    if not data:
        return message
    try:
        request = BackMsg.FromString(data)
    except DecodeError:
        return message  # the app says so
    if not request.rerun_script.is_auto_rerun:
        return message
    widgets = request.rerun_script.widget_states.widgets
    others = [widget for widget in widgets if not _is_press(widget)]
    if len(others) == len(widgets):
        return message
    del widgets[:]
    widgets.extend(others)
    return {**message, "bytes": request.SerializeToString()}


def _is_press(widget: WidgetState) -> bool:
    return widget.WhichOneof("value") in _PRESSES
