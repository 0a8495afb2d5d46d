"""The objects that the routes of one app share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from starlette.types import Scope

from debugger.backends.base import Backend, TurnStream
from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from debugger.server.audit import AuditTrail
from debugger.server.auth import KeyStore
from debugger.server.auth.keys import SessionTokens
from debugger.server.health import Readiness
from debugger.server.metrics import Metrics
from debugger.server.turn_limiter import QueueFullError, TurnLimiter
from debugger.store import RunLimits

Result = TypeVar("Result")

BODY_LIMIT = 20 * 1024 * 1024
"""Bytes of a request's body."""


FRESH_SECONDS = 1.0
"""Age up to which the limit of a workflow is not read again; changes by this server count at once."""


class RunLimiter:
    """Limits of workflows on active runs; runs start with the current graph.

    A run counts from the claim of its first turn, while it is started, running or waiting. The others are
    counted in the transaction that stores it. The platform's response to a run beyond the limit was not
    recorded; it is 429 here (``platform.md#edge-cases``).
    """

    def __init__(self) -> None:
        self._rules: dict[str, tuple[RunLimits, float]] = {}
        self._lock = threading.Lock()

    def prepare(self, engine: EmbeddedBackend, workflow_id: str) -> bool:
        """Return whether a workflow limits its runs; at the limit, interrupt turns of ended processes.

        It does not where it is unknown or has no limit. The limit is read at most every `FRESH_SECONDS`;
        where the workflow has changed meanwhile, the engine reads it again. Raises StoreError when the store
        cannot be read.
        """
        with self._lock:
            rule = self._rule(engine, workflow_id)
        if rule is None or rule.max_concurrent_runs is None:
            return False
        if engine.store.catalogue.count_active_runs(workflow_id) >= rule.max_concurrent_runs:
            engine.store.claims.interrupt_expired()  # of processes that have ended
        return True

    def forget(self, workflow_id: str) -> None:
        """Forget the limit of a workflow, which was changed: the next `prepare` reads it."""
        with self._lock:
            self._rules.pop(workflow_id, None)

    def _rule(self, engine: EmbeddedBackend, workflow_id: str) -> RunLimits | None:
        """Return the limits of a workflow, read at most every `FRESH_SECONDS`; ``None`` where it is unknown.

        Makes the engine read the workflow again where it has changed since the last read. The caller holds
        the lock.
        """
        # Another server on the same database may have changed the workflow.
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


class BackgroundOwners:
    """Socket of each run that advances its background work.

    It is the one that sent the last turn.
    """

    def __init__(self) -> None:
        self._owners: dict[str, object] = {}
        self._lock = threading.Lock()

    def acquire(self, run_id: str, owner: object) -> None:
        """Make a socket the owner of a run, instead of any other."""
        with self._lock:
            self._owners[run_id] = owner

    def is_owner(self, run_id: str, owner: object) -> bool:
        """Return whether a socket still owns a run."""
        return self._owners.get(run_id) is owner

    def release(self, run_id: str, owner: object) -> None:
        """Leave a run without an owner, if it is this socket's."""
        with self._lock:
            if self._owners.get(run_id) is owner:
                del self._owners[run_id]


@dataclass(frozen=True)
class Services:
    """The objects that the routes of one app share."""

    backend: Backend
    metrics: Metrics
    readiness: Readiness
    keys: KeyStore
    turn_limiter: TurnLimiter
    audit: AuditTrail
    body_limit: int = BODY_LIMIT
    """Bytes of a request's body or of a frame that a client sends."""
    run_limiter: RunLimiter = field(default_factory=RunLimiter)
    tokens: SessionTokens = field(default_factory=SessionTokens)
    background_owners: BackgroundOwners = field(default_factory=BackgroundOwners)

    def begin_run(self, workflow_id: str, turn_input: TurnInput, **options: Any) -> TurnStream:
        """Execute the first turn of a run, within the limit of its workflow.

        A backend that is not embedded has no such limit here. Errors are those of `Backend.execute`, too.

        Args:
            workflow_id: The workflow.
            turn_input: The input.
            **options: Further arguments of `Backend.execute`.

        Raises:
            RateLimitError: The limit is reached.
        """
        backend = self.backend
        if isinstance(backend, EmbeddedBackend):
            options["is_limited"] = self.run_limiter.prepare(backend, workflow_id)
        return backend.execute(workflow_id, turn_input, **options)

    def mark_socket(self, turn_input: TurnInput) -> TurnInput:
        """Return the first input of a run over the WebSocket, marked where only such runs are re-run."""
        backend = self.backend
        is_wanted = isinstance(backend, EmbeddedBackend) and backend.settings.socket_reruns_only
        return turn_input.over_socket() if is_wanted else turn_input

    async def run_turn(
        self, key_id: str | None, work: Callable[[], Result], *, is_stop: bool = False
    ) -> Result:
        """Return the result of a function that executes a turn, see `TurnLimiter.run`.

        Raises:
            QueueFullError: Too many turns of the key are waiting; it is counted.
        """
        try:
            return await self.turn_limiter.run(key_id, work, is_stop=is_stop)
        except QueueFullError:
            self.metrics.refuse_turn()
            raise


def services_of(scope: Scope) -> Services:
    """Return the services of the app that a request is for."""
    return cast(Services, scope["app"].state.services)
