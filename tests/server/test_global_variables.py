from __future__ import annotations

import sqlite3
from contextlib import closing

from debugger.backends.embedded import EmbeddedBackend
from debugger.settings import Settings
from tests.server.conftest import serving


def test_bulk_hides_place_of_failing_store(tmp_path):
    url = f"sqlite:///{tmp_path}/secret-place.sqlite3?timeout=0.1"
    backend = EmbeddedBackend(Settings(database=url))
    with (
        closing(backend),
        serving(backend) as api,
        closing(sqlite3.connect(tmp_path / "secret-place.sqlite3", isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        answer = api.post(
            "/v1/global-variables/bulk", json={"variables": [{"name": "city", "value": "Bath"}]}
        )
        other.execute("ROLLBACK")

    assert (answer.status_code, answer.json()) == (503, {"detail": "Service unavailable"})
