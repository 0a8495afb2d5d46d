from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.views.bars import control, items, keys, use

PAGE = """
import streamlit as st
from debugger.views import state
from debugger.views.components.tabs import Tabs
from debugger.views.components.toolbar import bar

state.begin_widget("pane", "Rows")
tabs = Tabs("pane", "Pane", ("Rows",), ("Chart", "Side effects", "Mocks", "Breakpoints"), COUNTS)
bar("one", tabs.items())
st.text(state.widget("pane"))
"""


@pytest.fixture
def draw():
    def drawn(**counts):
        return AppTest.from_string(PAGE.replace("COUNTS", repr(counts))).run()

    return drawn


def shown(app):
    return control(app, "pane").options


def test_tabs_begin_with_first_and_rest_is_behind_more(draw):
    app = draw()

    assert shown(app) == ["Rows"]
    assert {"pane_Chart", "pane_Side_effects", "pane_Mocks", "pane_Breakpoints"} < keys(app)
    more = control(app, "pane_more")
    assert (more.label, more.item["of"]) == ("More", control(app, "pane").item["label"])


def test_opened_tab_stays_in_its_order(draw):
    app = draw()

    use(app, "pane", "Mocks")
    opened = app.text[0].value
    use(app, "pane", "Chart")
    use(app, "pane", "Rows")

    assert opened == "Mocks"
    assert shown(app) == ["Rows", "Chart", "Mocks"]
    assert "pane_Mocks" not in keys(app)


def test_tab_that_is_chosen_elsewhere_is_on_view(draw):
    app = draw()

    app.session_state["pane"] = "Mocks"
    app.run()

    assert (control(app, "pane").value, shown(app)) == ("Mocks", ["Rows", "Mocks"])


def test_more_goes_when_all_are_opened(draw):
    app = draw()

    for name in ("Chart", "Side effects", "Mocks", "Breakpoints"):
        use(app, "pane", name)

    assert [item["kind"] for item in items(app, "one")] == ["switch"]


@pytest.mark.parametrize(
    ("counts", "label"),
    [
        ({"Mocks": 1}, "More · 1 mock"),
        ({"Mocks": 2, "Breakpoints": 1}, "More · 2 mocks, 1 breakpoint"),
        ({"Side effects": 1, "Mocks": 2, "Breakpoints": 1}, "More · 1 side effect, 2 mocks, …"),
        ({"Mocks": 0}, "More"),
    ],
)
def test_more_counts_what_is_behind_it(draw, counts, label):
    app = draw(**counts)

    assert control(app, "pane_more").label == label


def test_count_stands_at_its_name(draw):
    app = draw(Mocks=2)
    behind = control(app, "pane_Mocks").label

    use(app, "pane", "Mocks")

    assert (behind, shown(app)) == ("Mocks 2", ["Rows", "Mocks 2"])
    assert control(app, "pane_more").label == "More"
