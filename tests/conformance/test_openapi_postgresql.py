"""A server on PostgreSQL conforms to its document.

The file is separate so that a second worker takes it.
"""

from __future__ import annotations

from tests.conformance.generated_requests import send_generated
from tests.conformance.served import serving
from tests.support.postgres import a_database, a_schema


def test_answers_conform_to_document_on_postgresql(tmp_path):
    with (
        a_database() as name,
        a_schema(name) as database,
        serving(database, tmp_path) as api,
    ):
        outcome = send_generated(api, per_operation=10)

    assert not outcome.faults, "\n\n".join(outcome.faults[:10])
    assert outcome.count >= 300
    assert outcome.share_of_good > 0.3
    assert len(outcome.never_good) < 12, outcome.never_good
