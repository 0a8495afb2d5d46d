from __future__ import annotations

import pytest

from debugger.protocol.workflow import as_bool, as_number


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (True, True),
        (" YES ", True),
        ("on", True),
        (1, True),
        (False, False),
        ("0", False),
        ("maybe", True),
        (None, True),
    ],
)
def test_a_word_for_a_truth_is_one(value, meant):
    assert as_bool(value, default=True) is meant


@pytest.mark.parametrize(
    ("value", "meant"),
    [("5", 5), (2, 2), (" 7 ", 7), ("many", 3), (None, 3), ("-1", 3), (5.0, 5), (5.5, 3), ("1" * 5000, 3)],
)
def test_a_count_may_be_a_text(value, meant):
    assert as_number(value, default=3) == meant
