"""An answer in JSON."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from debugger.protocol.json_text import encode


class JsonReply(Response):
    """An answer whose JSON goes out as it is: no field is dropped, renamed or converted."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The text of the answer."""
        return encode(content)
