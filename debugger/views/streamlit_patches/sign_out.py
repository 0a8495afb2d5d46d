"""Message that sends an open page to the login."""

from __future__ import annotations

from debugger.views.streamlit_patches import is_enabled


def redirect_message(url: str) -> bytes | None:
    """Return the frame that sends a browser to an address.

    ``None`` while the patch is off.
    """
    if not is_enabled("sign_out"):
        return None
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    message = ForwardMsg()
    message.auth_redirect.url = url
    frame: bytes = message.SerializeToString()
    return frame
