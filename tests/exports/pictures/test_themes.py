from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from debugger.exports.pictures.themes import COLOURS, mixed

CONFIG = Path(__file__).parents[3] / ".streamlit" / "config.toml"


@pytest.mark.parametrize("name", ["light", "dark"])
def test_colours_are_those_of_the_page(name):
    page = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"][name]

    assert {colour: page[f"{colour}Color"] for colour in COLOURS[name]} == COLOURS[name]


def test_tint_is_between_its_colours():
    assert mixed("#ff0000", "#0000ff", 0.5) == "#800080"
    assert mixed("#ff0000", "#0000ff", 0) == "#0000ff"
