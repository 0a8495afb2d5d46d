"""How many runs of a workflow may be under way at once (``platform/wire.md`` 4.1, 2.8)."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import RateLimitError
from debugger.protocol import urls
from debugger.server.answers.workflows import ConcurrencyAnswer
from debugger.server.body import JsonBody, read_fields
from debugger.server.operations import described
from debugger.server.parameters import ServedStore, WorkflowId
from debugger.server.reply import JsonReply
from debugger.store import RunRule

router = APIRouter()

_MOST = 1_000_000

FRESH_SECONDS = 1.0
"""How long is believed what was read of a workflow; what this server changes counts at once."""


class Admission:
    """Lets runs begin: in the graph of now, and as long as their workflow's limit allows it.

    Under way are the runs that stand in the store as started, running or waiting, and those whose first turn
    is being run here. The platform's answer to one run too many was not recorded; it is 429 here
    (``platform/wire.md`` 2.8).
    """

    def __init__(self) -> None:
        self._rules: dict[str, tuple[RunRule, float]] = {}
        self._beginning: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def of(self, engine: EmbeddedBackend, workflow_id: str) -> Iterator[None]:
        """The length of a run's beginning.

        Raises:
            RateLimitError: There are as many runs as there may be.
        """
        with self._lock:
            rule = self._rule(engine, workflow_id)
            if rule is not None and rule.max_concurrent_runs is not None:
                self._refuse_more(engine, workflow_id, rule.max_concurrent_runs)
            self._beginning[workflow_id] += 1
        try:
            yield
        finally:
            with self._lock:
                self._beginning[workflow_id] -= 1
                if not self._beginning[workflow_id]:
                    del self._beginning[workflow_id]

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

    def _refuse_more(self, engine: EmbeddedBackend, workflow_id: str, most: int) -> None:
        under_way = engine.store.catalogue.count_active_runs(workflow_id) + self._beginning[workflow_id]
        if under_way >= most:
            raise RateLimitError(
                f"{most} runs of this workflow are under way, and no more may be.",
                advice="Let one end, or raise the limit.",
            )


async def admission_of(request: Request) -> Admission:
    """What lets runs begin."""
    admission: Admission = request.app.state.admission
    return admission


Admitting = Annotated[Admission, Depends(admission_of)]


class Limit(BaseModel):
    """The body of the route; a null lifts the limit."""

    max_concurrent_runs: Annotated[int, Field(ge=1, le=_MOST)] | None


@router.patch(urls.CONCURRENCY)
@described(ConcurrencyAnswer, takes=Limit)
def limit_runs(
    workflow_id: WorkflowId, body: JsonBody, store: ServedStore, admission: Admitting
) -> JsonReply:
    """Set the limit of a workflow, or lift it."""
    most = read_fields(Limit, body).max_concurrent_runs
    store.catalogue.note(workflow_id, max_concurrent_runs=most)
    admission.forget(workflow_id)
    message = "There is no limit." if most is None else f"Up to {most} runs may be under way at once."
    return JsonReply({"workflow_id": workflow_id, "max_concurrent_runs": most, "message": message})
