from __future__ import annotations

import pytest

from debugger.protocol.flags import number, truth


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
    assert truth(value, default=True) is meant


@pytest.mark.parametrize(
    ("value", "meant"), [("5", 5), (2, 2), (" 7 ", 7), ("many", 3), (None, 3), ("-1", 3), ("1" * 5000, 3)]
)
def test_a_count_may_be_a_text(value, meant):
    assert number(value, default=3) == meant
