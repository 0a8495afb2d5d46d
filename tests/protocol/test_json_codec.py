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


def test_not_finite_beside_large_integer_is_null():
    assert decode(encode({"x": float("inf"), "y": [float("nan")], "big": 2**70})) == {
        "x": None,
        "y": [None],
        "big": 2**70,
    }


@pytest.mark.parametrize("odd", [2**70, "\ud83d"])
def test_text_beside_odd_value_stays_unescaped(odd):
    assert "pässwört".encode() in encode({"text": "pässwört", "odd": odd})
