from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from debugger.views.components.rows import Column, Row, Table, table
from tests.views.row_lists import choose, drawn, rows, send, use

PAGE = """
import streamlit as st

from debugger.views.components.rows import Column, rows_list, table

def note(*words):
    st.session_state.noted.append(words)

st.session_state.setdefault("noted", [])
cups = table(
    "Cups: name and whether it is full",
    ["tea", "cake"],
    [
        (Column("full", "Full", 30, "check"), lambda cup: (f"{cup} is full", cup == "tea")),
        (Column("name", "Name", 90, grows=True), str.title),
    ],
    lambda cup: cup,
)
rows_list("cups", cups, **ARGUMENTS)
"""


def draw(arguments: str = "{}") -> AppTest:
    return AppTest.from_string(PAGE.replace("ARGUMENTS", arguments)).run()


def noted(app):
    return app.session_state["noted"]


def test_table_has_row_for_each_record():
    app = draw()

    assert rows(app, "Cups") == [
        {"full": "tea is full", "name": "Tea"},
        {"full": "cake is full", "name": "Cake"},
    ]
    assert drawn(app, "Cups")["selects"] is False


def test_chosen_row_sends_its_target():
    app = draw("dict(on_choose=note)")

    choose(app, "cake", "Cups")
    choose(app, [], "Cups")

    assert drawn(app, "Cups")["selects"] is True
    assert noted(app) == [("cake",), (None,)]


def test_control_sends_target_column_and_value():
    app = draw("dict(on_use=note)")

    use(app, "tea", "full", False, "Cups")

    assert noted(app) == [("tea", "full", False)]


@pytest.mark.parametrize("value", [None, "tea", ["tea"], ["tea", 3, True]])
def test_malformed_use_is_ignored(value):
    app = draw("dict(on_use=note)")

    send(app, "Cups", "used", value)

    assert noted(app) == []


@pytest.mark.parametrize(("target", "place"), [("cake", 1), ("tea", 0), ("milk", None), (None, None)])
def test_place_of_target(target, place):
    shown = Table(
        [Column("name", "Name", 90)], [Row(["Tea"], "tea"), Row(["Cake"], "cake"), Row(["-"])], "Cups"
    )

    assert shown.place_of(target) == place


def test_records_without_target_cannot_be_chosen():
    shown = table("Cups", ["tea"], [(Column("name", "Name", 90), str.title)])

    assert shown.rows == [Row(["Tea"], None)]
