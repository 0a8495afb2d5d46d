"""Runs that begin: in the graph of now, and no more at once than there may be (``platform/wire.md`` 2.8)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import RateLimitError
from debugger.store import RunRule

FRESH_SECONDS = 1.0
"""How long is believed what was read of a workflow; what this server changes counts at once."""


class Admission:
    """Lets runs begin: in the graph of now, and as long as their workflow's limit allows it.

    A run counts from the moment at which its first turn is claimed, while it is started, running or waiting:
    the count is read from the store. The platform's answer to one run too many was not recorded; it is 429
    here (``platform/wire.md`` 2.8).
    """

    def __init__(self) -> None:
        self._rules: dict[str, tuple[RunRule, float]] = {}
        self._beginning: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    @contextmanager
    def of(
        self, engine: EmbeddedBackend, workflow_id: str, client_turn_id: str | None = None
    ) -> Iterator[None]:
        """Admit a run; its first turn is claimed within the block, and executed after it.

        Of a workflow with a limit one run begins at a time, so that each is counted before the next. A first
        turn that was sent before begins no run.

        Args:
            engine: The backend.
            workflow_id: The workflow.
            client_turn_id: The id that the client gave to the first turn.

        Raises:
            RateLimitError: There are as many runs as there may be.
        """
        with self._lock:
            rule = self._rule(engine, workflow_id)
            beginning = self._beginning.setdefault(workflow_id, threading.Lock())
        if rule is None or rule.max_concurrent_runs is None:
            yield
            return
        with beginning:
            if client_turn_id is None or engine.store.claims.find(client_turn_id) is None:
                _refuse_more(engine, workflow_id, rule.max_concurrent_runs)
            yield

    def forget(self, workflow_id: str) -> None:
        """Look again the next time: the workflow's limit was changed."""
        with self._lock:
            self._rules.pop(workflow_id, None)

    def _rule(self, engine: EmbeddedBackend, workflow_id: str) -> RunRule | None:
        """What a run must heed; another server on the same database may have changed the workflow."""
        known, read_at = self._rules.get(workflow_id, (None, float("-inf")))
        now = time.monotonic()
        if now - read_at <= FRESH_SECONDS:
            return known
        rule = engine.store.catalogue.rule(workflow_id)
        if rule is not None:
            self._rules[workflow_id] = (rule, now)
            if known is not None and known.changed_at != rule.changed_at:
                engine.renew(workflow_id)
        return rule


def _refuse_more(engine: EmbeddedBackend, workflow_id: str, most: int) -> None:
    store = engine.store
    is_full = store.catalogue.count_active_runs(workflow_id) >= most
    if is_full and store.claims.lapse():  # of processes that have ended
        is_full = store.catalogue.count_active_runs(workflow_id) >= most
    if is_full:
        raise RateLimitError(
            f"{most} runs of this workflow are under way, and no more may be.",
            advice="Let one end, or raise the limit.",
        )
