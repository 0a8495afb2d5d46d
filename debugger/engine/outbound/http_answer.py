"""The answer to an HTTP request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from typing import Any

from debugger.engine.outbound.recorded import RecordedAnswer
from debugger.engine.outbound.secrets import Secrets
from debugger.protocol.json_text import decode, encode

DEEPEST = 100
"""Levels of lists and objects in an answer; as many as a tool's result may have."""


@dataclass(frozen=True)
class HttpAnswer:
    """What came back."""

    status_code: int
    content_type: str = ""
    """The header of that name."""
    raw: bytes = field(default=b"", repr=False)
    """The body as it came, unpacked. For nobody's eyes: a server may tell what it was sent."""
    written: Secrets = field(default_factory=Secrets)
    """The secrets that the author wrote into the request, for which the answer has marks."""

    @property
    def is_success(self) -> bool:
        """Whether the status says so (``platform/engine.md`` U-11)."""
        return 200 <= self.status_code < 300

    @property
    def status(self) -> str:
        """The status for people: ``404 Not Found``."""
        try:
            return f"{self.status_code} {HTTPStatus(self.status_code).phrase}"
        except ValueError:
            return str(self.status_code)

    @property
    def body(self) -> bytes:
        """The body's bytes."""
        return self.written.mask_bytes(self.raw)

    @property
    def text(self) -> str:
        """The body as text, in the character set that it says it has."""
        return self.written.mask(self._decoded)

    @property
    def _decoded(self) -> str:
        header = Message()
        header["content-type"] = self.content_type.replace("\n", " ").replace("\r", " ")
        try:
            return self.raw.decode(str(header.get_content_charset("utf-8")), "replace")
        except LookupError:  # a character set that nobody knows
            return self.raw.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as a JSON value; ``None`` where it is blank.

        Raises:
            ValueError: It is not JSON, or nested too deep to be read.
        """
        text = self._decoded.strip().removeprefix("\ufeff")
        try:
            value = decode(text.encode("utf-8", "surrogatepass")) if text else None
        except RecursionError:
            value, is_deep = None, True
        else:
            is_deep = _is_deeper(value, DEEPEST)
        if is_deep:
            raise ValueError(f"it is nested deeper than {DEEPEST} levels")
        return self.written.mask_value(value)


def simulated_answer(recorded: RecordedAnswer | None) -> HttpAnswer:
    """The answer that a person recorded, or one made up that says that it is."""
    if recorded is None:
        return _json_answer(200, {"simulated": True})
    status = recorded.status or 200
    if recorded.body is None:
        return HttpAnswer(status)
    if isinstance(recorded.body, str):
        return HttpAnswer(status, "text/plain; charset=utf-8", recorded.body.encode("utf-8", "replace"))
    return _json_answer(status, recorded.body)


def _is_deeper(value: Any, levels: int) -> bool:
    inner = [value]
    for _level in range(levels + 1):
        inner = [child for each in inner for child in _children(each)]
        if not inner:
            return False
    return True


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _json_answer(status: int, value: Any) -> HttpAnswer:
    return HttpAnswer(status, "application/json", encode(value))
