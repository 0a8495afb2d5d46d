"""An answer in JSON."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from debugger.protocol.json_codec import encode


class JsonReply(Response):
    """An answer whose JSON goes out as it is: no field is dropped, renamed or converted."""

    media_type = "application/json"
    run_id = ""
    """The run that it is about, where the path of the request may not name it."""

    def render(self, content: Any) -> bytes:
        """The text of the answer."""
        return encode(content)
