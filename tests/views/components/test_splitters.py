from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from debugger.views import panels
from debugger.views.components.splitters import Split
from debugger.views.panels.panes import PANES, SPLITS

STYLE = Path(panels.__file__).parents[1].joinpath("style.css").read_text(encoding="utf-8")
APP = "from debugger.views.panels.panes import pane_splitters\npane_splitters()"


def test_splitters_send_browser_their_splits_and_panes():
    (element,) = AppTest.from_string(APP).run().get("bidi_component")

    sent = json.loads(json.loads(element.proto.json)["arrangement"])

    assert [each["name"] for each in sent["splits"]] == [each.name for each in SPLITS]
    assert [each["name"] for each in sent["panes"]] == ["graph", "talk", "inspect", "lower"]


def test_split_refuses_limits_without_room():
    with pytest.raises(ValueError, match="least below the most"):
        Split("one", "wide", "talk", "One", "width", 0.6, 0.5)


def test_style_reads_the_variable_of_each_split():
    assert {each.name for each in SPLITS} == set(re.findall(r"var\(--((?:wide|medium)-[a-z]+)", STYLE))
    assert {each.layout for each in SPLITS} < set(re.findall(r"--layout: ([a-z]+);", STYLE))


def test_style_gives_each_maximised_pane_the_room():
    assert {each.name for each in PANES} == set(re.findall(r':root\[data-maximised="([a-z]+)"\]', STYLE))
