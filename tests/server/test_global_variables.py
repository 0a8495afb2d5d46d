from __future__ import annotations

import sqlite3
from contextlib import closing

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import StoreError
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


def test_bulk_reports_variables_before_a_failure(api, embedded, monkeypatch):
    create = embedded.store.globals.create

    def fail_at_tea(values):
        if values["name"] == "tea":
            raise StoreError("sqlite:////secret-place is full.")
        return create(values)

    monkeypatch.setattr(embedded.store.globals, "create", fail_at_tea)
    variables = [{"name": name, "value": 1} for name in ("town", "tea", "pot")]

    answer = api.post("/v1/global-variables/bulk", json={"variables": variables}).json()

    assert [variable["name"] for variable in answer["created"]] == ["town"]
    assert answer["errors"] == [
        {"index": 1, "name": "tea", "error": "Service unavailable"},
        {"index": 2, "name": "pot", "error": "Service unavailable"},
    ]
