"""How many runs of a workflow may be under way at once (``platform/wire.md`` 4.1, 2.8)."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import RateLimitError
from debugger.protocol import urls
from debugger.server.body import JsonBody, read_fields
from debugger.server.parameters import ServedStore, WorkflowId
from debugger.server.reply import JsonReply

router = APIRouter()

_MOST = 1_000_000


class Limit(BaseModel):
    """The body of the route; a null lifts the limit."""

    max_concurrent_runs: Annotated[int, Field(ge=1, le=_MOST)] | None


@router.patch(urls.CONCURRENCY)
def limit_runs(workflow_id: WorkflowId, body: JsonBody, store: ServedStore) -> JsonReply:
    """Set the limit of a workflow, or lift it."""
    most = read_fields(Limit, body).max_concurrent_runs
    store.catalogue.note(workflow_id, max_concurrent_runs=most)
    message = "There is no limit." if most is None else f"Up to {most} runs may be under way at once."
    return JsonReply({"workflow_id": workflow_id, "max_concurrent_runs": most, "message": message})


class Admission:
    """Lets runs begin: in the graph of now, and as long as their workflow's limit allows it.

    Under way are the runs that stand in the store as started, running or waiting, and those whose first turn
    is being run here. The platform's answer to one run too many was not recorded; it is 429 here
    (``platform/wire.md`` 2.8).
    """

    def __init__(self) -> None:
        self._changes: dict[str, float] = {}
        self._beginning: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def of(self, engine: EmbeddedBackend, workflow_id: str) -> Iterator[None]:
        """The length of a run's beginning.

        Raises:
            RateLimitError: There are as many runs as there may be.
        """
        rule = engine.store.catalogue.rule(workflow_id)
        with self._lock:
            if rule is not None:
                self._notice_change(engine, workflow_id, rule.changed_at)
                self._refuse_more(engine, workflow_id, rule.max_concurrent_runs)
            self._beginning[workflow_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._beginning[workflow_id] -= 1
                if not self._beginning[workflow_id]:
                    del self._beginning[workflow_id]

    def _notice_change(self, engine: EmbeddedBackend, workflow_id: str, changed_at: float) -> None:
        """Another server on the same database may have changed the workflow."""
        if self._changes.setdefault(workflow_id, changed_at) != changed_at:
            self._changes[workflow_id] = changed_at
            engine.renew(workflow_id)

    def _refuse_more(self, engine: EmbeddedBackend, workflow_id: str, most: int | None) -> None:
        if most is None:
            return
        under_way = engine.store.catalogue.count_active_runs(workflow_id) + self._beginning[workflow_id]
        if under_way >= most:
            raise RateLimitError(
                f"{most} runs of this workflow are under way, and no more may be.",
                advice="Let one end, or raise the limit.",
            )
