"""A process that must not connect to anything."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_forbidden: list[bool] = []


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if _forbidden and event in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
        raise AssertionError(f"{event} {args[1:]}")


sys.addaudithook(_watch)


@contextmanager
def no_sockets() -> Iterator[None]:
    """Let every attempt to connect, in any thread, fail the caller until the block ends."""
    _forbidden.append(True)
    try:
        yield
    finally:
        _forbidden.clear()
