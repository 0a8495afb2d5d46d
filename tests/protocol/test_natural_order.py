from __future__ import annotations

import pytest

from debugger.protocol.natural_order import natural_key


@pytest.mark.parametrize(
    "names",
    [
        ["1", "2", "10", "19", "20"],
        ["call 2", "Call 9", "call 10"],
        ["a", "B", "c"],
        ["1 call", "call 1"],
        ["v1.9", "v1.10"],
        ["7", "9" * 5_000],
        ["", "a"],
    ],
)
def test_names_are_in_natural_order(names):
    assert sorted(set(names), key=natural_key) == names
