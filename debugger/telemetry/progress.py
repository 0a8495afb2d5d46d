"""Progress of long work, for whoever shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Report = Callable[[str, int, int | None], None]
"""Takes the name of a step, how much of it is done, and how much there is, where that is known."""

_report: ContextVar[Report | None] = ContextVar("progress", default=None)


@contextmanager
def follow_progress(report: Report) -> Iterator[None]:
    """Call a function with the progress of the work within the block.

    It takes the place of that of an outer block. Other threads do not report to it, unless they run in a copy
    of this context.
    """
    token = _report.set(report)
    try:
        yield
    finally:
        _report.reset(token)


def report_progress(step: str, done: int, total: int | None = None) -> None:
    """Report how far a step of long work is, if that is followed."""
    report = _report.get()
    if report is not None:
        report(step, done, total)
