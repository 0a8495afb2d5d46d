"""Log lines with time, level, request and run, as text or as JSON."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from debugger.telemetry.context import request_id, run_id, trace_parent

LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]

_OWN = ("debugger", "uvicorn", "alembic")
"""Loggers of the level that is set. Others warn only: a library may log whole URLs."""


CONTROLS = (
    *(*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029),
    *(0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)),
)
"""Control characters, and those that turn the direction of writing."""
_ESCAPED = {code: repr(chr(code))[1:-1] for code in CONTROLS}
"""A path or a message of a client could forge a line, or command a terminal."""
_ESCAPED_IN_LINES = {code: text for code, text in _ESCAPED.items() if chr(code) not in "\t\n"}


def escape_controls(text: str, *, is_one_line: bool = True) -> str:
    """Return a text whose control characters are escaped; of several lines all but tabs and line ends."""
    return text.translate(_ESCAPED if is_one_line else _ESCAPED_IN_LINES)


class TextFormatter(logging.Formatter):
    """One line: time in UTC, level, logger, request and run, message.

    Args:
        release: Returns what of a text may leave the process.
    """

    def __init__(self, release: Callable[[str], str] = str) -> None:
        super().__init__("%(levelname)s %(name)s: ")
        self._release = release

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, with a traceback below."""
        return escape_controls(self._release(super().format(record)), is_one_line=False)

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line of a record, without a traceback."""
        ids = "".join(f"{name}={value} " for name, value in _ids().items() if name != "trace_id")
        message = escape_controls(record.message.rstrip())
        return f"{_time(record)} {super().formatMessage(record)}{ids}{message}"


class JsonFormatter(logging.Formatter):
    """One JSON object in a line; ids are absent outside of requests and runs.

    Args:
        release: Returns what of a text may leave the process; it never sees a text that is encoded, in which
            it could not tell where a URL ends.
    """

    def __init__(self, release: Callable[[str], str] = str) -> None:
        super().__init__()
        self._release = release

    def format(self, record: logging.LogRecord) -> str:
        """Return the object of a record, with a traceback as ``exception``.

        Each text is released before it is encoded. Ids that are not set are left out.
        """
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            **_ids(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        # Elsewhere the stream would escape a character as no reader of JSON knows it: \xe9.
        is_unicode = (getattr(sys.stderr, "encoding", None) or "utf-8").lower().startswith("utf")
        released = {name: self._release(text) for name, text in line.items()}
        return json.dumps(released, ensure_ascii=not is_unicode)


class LogHandler(logging.Handler):
    """Writer of the log to the standard error, also where that is replaced later."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record and a line end to the standard error, and flush it.

        An error is passed to `handleError`, and is not raised.
        """
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:
            self.handleError(record)


def configure_logs(level: LogLevel, log_format: LogFormat, release: Callable[[str], str] = str) -> None:
    """Write the log of this process; a later call replaces an earlier one.

    The handlers of uvicorn's loggers are removed: their lines go where all others go.

    Args:
        level: Of the product's own loggers.
        log_format: Of a line.
        release: Returns what of a text may leave the process.
    """
    handler = LogHandler()
    handler.setFormatter(JsonFormatter(release) if log_format == "json" else TextFormatter(release))
    root = logging.getLogger()
    for earlier in [each for each in root.handlers if isinstance(each, LogHandler)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    for name in _OWN:
        logging.getLogger(name).setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.access", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()  # Streamlit's, which writes no ids
        logger.propagate = True
        if name != "uvicorn":
            logger.setLevel(logging.NOTSET)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _ids() -> dict[str, str]:
    trace_id = trace_parent.get()[3:35]
    found = {"request_id": request_id.get(), "run_id": run_id.get(), "trace_id": trace_id}
    return {name: value for name, value in found.items() if value}
