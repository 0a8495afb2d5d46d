"""Log filters that redact secrets and limit repeated messages."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from debugger.boundary import release_address

_HEADER = "< %s: %s"
_REJECTED = "ASGI callable returned without completing handshake."
"""Logged for every handshake that is rejected with a response, such as 401."""


def redact_uvicorn_log() -> None:
    """Redact keys and tokens in the log of uvicorn.

    This holds at any level, and may be called again.
    """
    for name in ("uvicorn.error", "uvicorn.access"):
        # The same object each time, which a logger takes once only.
        logging.getLogger(name).addFilter(_redact)


MAX_REPEATS = 10
"""Times that a message is logged in a minute."""
_MINUTE = 60.0
_ACCESS_LOG = "uvicorn.access"
_COUNT = "%d more messages like this one were left out in the last minute: %s"


class RepeatFilter(logging.Filter):
    """Filter that drops a message after ten times in a minute.

    Messages are the same that come from one place in the code, whatever is filled in. The lines of the access
    log are not limited: each is about a request that was answered.

    Args:
        now: Returns a time in seconds that only goes forward.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._lock = threading.Lock()
        self._places: dict[tuple[str, str, int], _Repeats] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a message is logged.

        Of one place it is ``True`` for the first `MAX_REPEATS` messages, until `report` is called after their
        minute; lines of the access log and of `report` always are logged.
        """
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
        """Log the number of messages that were dropped in past minutes.

        One line for each place that has dropped some, by its logger and at its level. Places whose minute is
        over are forgotten, so that their messages are logged again.
        """
        now = self._now()
        with self._lock:
            past = {place: repeats for place, repeats in self._places.items() if repeats.until <= now}
            for place in past:
                del self._places[place]
        for repeats in past.values():
            if repeats.count > MAX_REPEATS:
                more = repeats.count - MAX_REPEATS
                logging.getLogger(repeats.logger).log(repeats.level, _COUNT, more, repeats.message)


class _Repeats:
    __slots__ = ("count", "level", "logger", "message", "until")

    def __init__(self, first: logging.LogRecord, until: float) -> None:
        """Keep the logger, the level and the first line of the first message."""
        self.logger = first.name
        self.level = first.levelno
        self.message = first.getMessage().partition("\n")[0]
        self.until = until
        self.count = 0


def limit_repeats() -> RepeatFilter:
    """Limit repeated messages of all present handlers; the caller calls `report` regularly.

    One new filter is added to each handler of the root logger and of ``uvicorn``; handlers that are added
    later have none. A second call adds another filter.
    """
    repeats = RepeatFilter()
    for name in ("", "uvicorn"):
        for handler in logging.getLogger(name).handlers:
            handler.addFilter(repeats)
    return repeats


def _redact(record: logging.LogRecord) -> bool:
    """Mask keys and tokens in the arguments of a record, and return whether it is logged.

    Lines that show headers or report a rejected handshake are not. Arguments that are no tuple, and the
    format, stay as they are.
    """
    if record.msg in (_HEADER, _REJECTED):
        return False
    if isinstance(record.args, tuple):
        record.args = tuple(release_address(arg) if isinstance(arg, str) else arg for arg in record.args)
    return True
