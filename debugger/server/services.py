"""The objects that the routes of one app share."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

from starlette.types import Scope

from debugger.backends.base import Backend
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import RateLimitError
from debugger.server.audit import AuditTrail
from debugger.server.auth import KeyStore
from debugger.server.auth.keys import SessionTokens
from debugger.server.health import Readiness
from debugger.server.metrics import Metrics
from debugger.server.turn_limiter import TurnLimiter
from debugger.store import RunLimits

BODY_LIMIT = 20 * 1024 * 1024
"""Bytes of a request's body."""


FRESH_SECONDS = 1.0
"""Age up to which the limit of a workflow is not read again; changes by this server count at once."""


class RunLimiter:
    """Starts runs with the current graph, within the limit of their workflow.

    A run counts from the claim of its first turn, while it is started, running or waiting: the count is read
    from the store. The platform's response to a run beyond the limit was not recorded; it is 429 here
    (``platform.md#edge-cases``).
    """

    def __init__(self) -> None:
        self._rules: dict[str, tuple[RunLimits, float]] = {}
        self._starting: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    @contextmanager
    def start(
        self, engine: EmbeddedBackend, workflow_id: str, client_turn_id: str | None = None
    ) -> Iterator[None]:
        """Start a run, whose first turn is claimed within the block.

        Of a workflow with a limit one run starts at a time, so that each is counted before the next. A first
        turn that was sent before starts no run.

        Args:
            engine: The backend.
            workflow_id: The workflow.
            client_turn_id: The client turn id of the first turn.

        Raises:
            RateLimitError: The limit is reached.
        """
        with self._lock:
            rule = self._rule(engine, workflow_id)
        if rule is None or rule.max_concurrent_runs is None:
            yield
            return
        with self._lock:
            starting = self._starting.setdefault(workflow_id, threading.Lock())
        with starting:
            if client_turn_id is None or engine.store.claims.find(client_turn_id) is None:
                _check_limit(engine, workflow_id, rule.max_concurrent_runs)
            yield

    def forget(self, workflow_id: str) -> None:
        """Read the limit of a workflow again: it was changed."""
        with self._lock:
            self._rules.pop(workflow_id, None)

    def _rule(self, engine: EmbeddedBackend, workflow_id: str) -> RunLimits | None:
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


def _check_limit(engine: EmbeddedBackend, workflow_id: str, limit: int) -> None:
    store = engine.store
    is_full = store.catalogue.count_active_runs(workflow_id) >= limit
    if is_full and store.claims.lapse():  # of processes that have ended
        is_full = store.catalogue.count_active_runs(workflow_id) >= limit
    if is_full:
        raise RateLimitError(
            f"{limit} runs of this workflow are active, and no more may be.",
            advice="Wait until one has ended, or raise the limit.",
        )


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


def services_of(scope: Scope) -> Services:
    """Return the services of the app that a request is for."""
    return cast(Services, scope["app"].state.services)
