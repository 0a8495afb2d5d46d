"""Rules about what only the platform has (`debugger.graph.offline_limits`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps

from debugger.graph.checks.context import Check, CheckContext, Finding, rule
from debugger.graph.offline_limits import LIMITS, OfflineLimit


def _rule_of(find: Callable[[CheckContext], Iterator[OfflineLimit]]) -> Check:
    """Return a rule that reports each limit as a warning; its code is the function's name, with hyphens."""

    @wraps(find)
    def findings(context: CheckContext) -> Iterator[Finding]:
        return (limit.finding for limit in find(context))

    return rule("warning")(findings)


OFFLINE_CHECKS: tuple[Check, ...] = tuple(map(_rule_of, LIMITS))
"""A rule for each limit, by its name."""
