"""Recent answers of a backend, so that redrawing needs no request."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Generic, TypeVar

from debugger.errors import DebuggerError

Answer = TypeVar("Answer")

FRESH_SECONDS = 15.0
FAULT_SECONDS = 5.0
"""How long a backend that has failed is left alone; each try may take until a timeout."""


@dataclass
class _Known(Generic[Answer]):
    """The last good answer to one question, and how the last try ended."""

    answer: Answer | None = None
    fault: DebuggerError | None = None
    tried_at: float = float("-inf")

    @property
    def is_fresh(self) -> bool:
        return monotonic() - self.tried_at < (FAULT_SECONDS if self.fault else FRESH_SECONDS)


@dataclass
class BackendCache:
    """The answers by question."""

    _known: dict[Hashable, _Known[Any]] = field(default_factory=dict)

    def ask(self, question: Hashable, ask: Callable[[], Answer]) -> Answer:
        """Return a recent answer, or request a new one.

        Args:
            question: What is requested.
            ask: Asks it.

        Raises:
            DebuggerError: It could not be answered, now or some seconds ago.
        """
        known: _Known[Answer] = self._known.setdefault(question, _Known())
        if not known.is_fresh:
            try:
                known.answer, known.fault = ask(), None
            except DebuggerError as fault:
                known.fault = fault
            known.tried_at = monotonic()
        if known.fault is not None:
            raise known.fault
        return known.answer  # type: ignore[return-value]  # there is one, since the last try was good

    def last(self, question: Hashable) -> Any:
        """Return the last good answer, however old; ``None`` if there is none."""
        known = self._known.get(question)
        return known.answer if known else None

    def expire(self, question: Hashable = None) -> None:
        """Request this answer, or every one, anew next time.

        The last good answer stays available.
        """
        for key, known in self._known.items():
            if question is None or key == question:
                known.tried_at = float("-inf")

    def clear(self) -> None:
        """Forget everything."""
        self._known.clear()
