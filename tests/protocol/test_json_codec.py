from __future__ import annotations

import pytest

from debugger.protocol.json_codec import decode, encode


@pytest.mark.parametrize(
    "value", [{"a": [1, 2.5, None, True]}, {"big": 2**70}, {"text": "é 🙂 \u202eabc"}, {"x": "\ud83d"}]
)
def test_a_value_comes_back_as_it_was(value):
    assert decode(encode(value)) == value


def test_what_is_not_finite_becomes_null():
    assert decode(encode({"x": float("nan")})) == {"x": None}
