from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugger.expressions.values import equality_key

quick = settings(max_examples=200, deadline=None)

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)
values = st.recursive(
    scalars | st.sampled_from([2**53, 2**53 + 1, float(2**53), 1e300, -(2**61) + 1]),
    lambda parts: (
        st.lists(parts, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "1"]), parts, max_size=3)
    ),
    max_leaves=6,
)


def is_equal(left, right):
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left == right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(is_equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(is_equal(left[name], right[name]) for name in left)
    return type(left) is type(right) and left == right


@quick
@given(values, values)
def test_keys_are_equal_exactly_for_equal_values(left, right):
    assert (equality_key(left) == equality_key(right)) is is_equal(left, right)
    assert equality_key(left) == equality_key(json.loads(json.dumps(left)))
    hash(equality_key(left))


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (1, 1.0, True),
        (True, 1, False),
        ([True], [1], False),
        ([1], [1.0], True),
        ([10**30], [1e30], False),
        ([2**60], [2.0**60], True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        (["a", "b"], ["a1:b"], False),
        ("1", 1, False),
        ([], {}, False),
        ([None], ["None"], False),
    ],
)
def test_key_tells_values_apart(left, right, expected):
    assert (equality_key(left) == equality_key(right)) is expected
