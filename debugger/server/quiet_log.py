"""What the log holds: no key and no token of a request, and no message more than ten times a minute."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable

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


MAX_REPEATS = 10
"""How often a message is logged in a minute."""
_MINUTE = 60.0
_ACCESS_LOG = "uvicorn.access"
_COUNT = "%d more messages like this one were left out in the last minute: %s"


class RepeatFilter(logging.Filter):
    """Leaves out what a handler has logged ten times in a minute, and reports how often that was.

    Messages are the same that come from one place in the code, whatever is filled in. The lines of the access
    log are not limited: each is about a request that was answered.

    Args:
        now: Gives a time in seconds that only goes forward.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._lock = threading.Lock()
        self._places: dict[tuple[str, str, int], _Repeats] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a message is logged."""
        if record.name == _ACCESS_LOG or record.msg is _COUNT:
            return True
        with self._lock:
            place = (record.name, record.pathname, record.lineno)
            repeats = self._places.get(place)
            if repeats is None:
                repeats = self._places[place] = _Repeats(record, self._now() + _MINUTE)
            repeats.count += 1
            return repeats.count <= MAX_REPEATS

    def report(self) -> None:
        """Log what was left out in minutes that are over."""
        now = self._now()
        with self._lock:
            over = {place: repeats for place, repeats in self._places.items() if repeats.until <= now}
            for place in over:
                del self._places[place]
        for repeats in over.values():
            if repeats.count > MAX_REPEATS:
                more = repeats.count - MAX_REPEATS
                logging.getLogger(repeats.logger).log(repeats.level, _COUNT, more, repeats.message)


class _Repeats:
    """Messages from one place in the code within a minute."""

    __slots__ = ("count", "level", "logger", "message", "until")

    def __init__(self, first: logging.LogRecord, until: float) -> None:
        self.logger = first.name
        self.level = first.levelno
        self.message = first.getMessage().partition("\n")[0]
        self.until = until
        self.count = 0


def limit_repeats() -> RepeatFilter:
    """Limit repeated messages of all handlers that are there; the caller calls `report` from time to time."""
    repeats = RepeatFilter()
    for name in ("", "uvicorn"):
        for handler in logging.getLogger(name).handlers:
            handler.addFilter(repeats)
    return repeats


def _is_shown(record: logging.LogRecord) -> bool:
    if record.msg in (_HEADER, _NOISE):
        return False
    if isinstance(record.args, tuple):
        record.args = tuple(shown(arg) if isinstance(arg, str) else arg for arg in record.args)
    return True
