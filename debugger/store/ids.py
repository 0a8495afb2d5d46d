"""Ids of workflows and runs."""

from __future__ import annotations

import secrets
import time


def new_id() -> str:
    """A new id: 24 lower-case hex digits, the first eight of which are the second it was made in.

    Ids made in different seconds sort by time, like the platform's own (``platform/wire.md``, section 0).
    """
    return f"{int(time.time()):08x}{secrets.token_hex(8)}"
