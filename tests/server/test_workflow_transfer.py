from __future__ import annotations

import pytest

UNKNOWN = "665f00000000000000000001"


@pytest.mark.parametrize("body", [{}, {"clone_all_versions": True}, {"version_numbers_to_clone": [0]}])
def test_clone_of_unknown_workflow_is_not_found(api, body):
    answer = api.post(f"/v1/workflows/{UNKNOWN}/clone", json=body)

    assert answer.status_code == 404
    assert UNKNOWN in answer.json()["detail"]
