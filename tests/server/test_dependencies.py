from __future__ import annotations

import pytest


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_current_person_reads_both_encodings(api, encoding):
    answer = api.post("/v1/workflows", json={"name": "Tea"}, headers={"uuid": "Zoë".encode(encoding)})

    assert answer.json()["workflow"]["created_by"] == "Zoë"
