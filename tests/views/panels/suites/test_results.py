from __future__ import annotations

import pytest

from debugger.views.panels.suites.results import path_difference


@pytest.mark.parametrize(
    ("expected", "got", "shown"),
    [
        (["A", "B"], ["A", "B"], "A › B"),
        (["A", "B", "D"], ["A", "C", "D"], "A › :red[~~B~~] › :green[**C**] › D"),
        (["A"], ["A", "B*"], "A › :green[**B\\*\\***]"),
    ],
)
def test_path_difference_marks_nodes(expected, got, shown):
    assert path_difference(expected, got) == shown.replace("\\*\\***", "\\***")
