from __future__ import annotations

import pytest

from debugger.engine.tool_names import model_name, model_names


@pytest.mark.parametrize(
    ("name", "known_as"),
    [
        ("add", "add"),
        ("Capital Lookup", "Capital_Lookup"),
        (" get-slots (v2)! ", "get-slots_v2"),
        ("Größe", "Gr_e"),
        ("價格", "tool"),
        ("", "tool"),
        (None, "tool"),
        ("x" * 100, "x" * 64),
        ("3d_look", "_3d_look"),
        ("-", "_-"),
    ],
)
def test_model_name_is_valid_for_providers(name, known_as):
    assert model_name(name) == known_as


def test_names_that_would_be_alike_are_numbered():
    assert model_names(["a b", "a_b", "a_b_2", "a-b", None, ""]) == [
        "a_b",
        "a_b_2",
        "a_b_2_2",
        "a-b",
        "tool",
        "tool_2",
    ]


def test_a_numbered_name_is_not_too_long_either():
    names = model_names(["x" * 64] * 12)

    assert len(set(names)) == 12
    assert max(map(len, names)) == 64
