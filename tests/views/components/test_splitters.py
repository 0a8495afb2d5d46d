from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from debugger.views import panels
from debugger.views.components.splitters import PANES, SPLITS

STYLE = Path(panels.__file__).parents[1].joinpath("style.css").read_text(encoding="utf-8")
APP = "from debugger.views.components.splitters import pane_splitters\npane_splitters()"


def test_splitters_send_browser_their_splits_and_panes():
    (element,) = AppTest.from_string(APP).run().get("bidi_component")

    sent = json.loads(json.loads(element.proto.json)["arrangement"])

    assert [each["name"] for each in sent["splits"]] == [each.name for each in SPLITS]
    assert [each["tab"] for each in sent["panes"]] == ["Conversation", "Graph", "Timeline", "Inspector"]


def test_splits_leave_room_between_their_limits():
    assert all(0 < each.least < each.most < 1 for each in SPLITS)


def test_split_widths_never_meet():
    first, second = (each for each in SPLITS if each.base == "width")

    assert first.most < second.least


def test_style_reads_the_variable_of_each_split():
    assert {each.name for each in SPLITS} == set(re.findall(r"var\(--((?:talk|lower|upper)-[a-z]+)", STYLE))


@pytest.mark.parametrize("attribute", ["maximised", "tab"])
def test_style_gives_each_pane_all_room(attribute):
    assert {each.name for each in PANES} == set(re.findall(rf':root\[data-{attribute}="([a-z]+)"\]', STYLE))
