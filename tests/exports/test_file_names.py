from __future__ import annotations

from datetime import UTC, datetime

import pytest

from debugger.exports.file_names import export_file_name

MOMENT = datetime(2026, 11, 28, 3, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("names", "scope", "is_masked", "name"),
    [
        (["Clinic"], "26 runs", True, "clinic-26-runs-messages-qa-review-20261128T031205Z.csv"),
        (["A", "B"], "2 runs", False, "workflows-2-runs-messages-qa-review-unmasked-20261128T031205Z.csv"),
        (["Über/..\\ Tee\n"], "run ab12", True, "uber-tee-run-ab12-messages-qa-review-20261128T031205Z.csv"),
        (["茶"], "1 run", True, "1-run-messages-qa-review-20261128T031205Z.csv"),
    ],
)
def test_file_name_tells_workflow_scope_and_time(names, scope, is_masked, name):
    found = export_file_name(names, scope, "messages QA review", MOMENT, ".csv", is_masked=is_masked)

    assert found == name
