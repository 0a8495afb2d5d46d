"""A server on SQLite conforms to its document, by generated requests."""

from __future__ import annotations

from tests.conformance.generated_requests import send_generated
from tests.conformance.served import serving


def test_answers_conform_to_document(tmp_path):
    with serving(f"sqlite:///{tmp_path}/runs.sqlite3", tmp_path) as api:
        outcome = send_generated(api, per_operation=36)

    assert not outcome.faults, "\n\n".join(outcome.faults[:10])
    assert outcome.count >= 1_000
    assert outcome.share_of_good > 0.3
    assert len(outcome.never_good) < 3, outcome.never_good
