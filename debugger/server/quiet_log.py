"""What the log may tell of a request: not its headers, which hold the key, and no token of its address."""

from __future__ import annotations

import logging
import re

_HEADER = "< %s: %s"
_NOISE = "ASGI callable returned without completing handshake."
"""Said of every handshake that is refused with an answer of its own, as with 401."""
_TOKEN = re.compile(r"(?<=[?&]token=)[^&\s\"]+|(?<=/rerun-token/)[^/?\s\"]+")


def keep_secrets_out_of_the_log() -> None:
    """See that no line of uvicorn's shows a key or a token, whatever the level; may be called again."""
    for name in ("uvicorn.error", "uvicorn.access"):
        # The same object each time, which a logger takes once only.
        logging.getLogger(name).addFilter(_is_shown)


def shown(address: str) -> str:
    """The path of a request, or all of its address, as a log may show it."""
    return _TOKEN.sub("***", address)


def _is_shown(record: logging.LogRecord) -> bool:
    if record.msg in (_HEADER, _NOISE):
        return False
    if isinstance(record.args, tuple):
        record.args = tuple(shown(arg) if isinstance(arg, str) else arg for arg in record.args)
    return True
