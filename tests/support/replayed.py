"""A front desk in two versions, with runs of the first one."""

from __future__ import annotations

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from tests.support.factories import Json, document, static, when


def desk(*, booking_leads_to: str = "booking", greeting: str = "Good day.") -> Json:
    """Return a workflow in which a variable of the start leads to one of two nodes."""
    return document(
        static("desk", greeting, name="Desk"),
        static("booking", "Which day?", name="Booking"),
        static("billing", "Which bill?", name="Billing"),
        when("desk", booking_leads_to, "{{kind}} == 'book'", name="book") | {"logical_id": "edge_book"},
        when("desk", "billing", "{{kind}} == 'bill'", name="bill"),
        defaults={"kind": ""},
        name="Front desk",
    )


def store_desk(backend: EmbeddedBackend, changed: Json, *, books: int = 3, bills: int = 1) -> str:
    """Store the desk, runs of it that book and that ask for a bill, and a changed version; return its id."""
    workflow = backend.create_workflow(desk())
    for kind in ["book"] * books + ["bill"] * bills:
        given = TurnInput.with_message(None, dynamic_variables={"kind": kind})
        backend.execute(workflow.id, given).finish()
    newest = max(version.version_number for version in backend.versions(workflow.id))
    backend.import_version(workflow.id, changed, expected=newest + 1)
    return workflow.id
