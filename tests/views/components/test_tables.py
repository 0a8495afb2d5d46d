from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.views.bars import control, keys, use

PAGE = """
import streamlit as st

from debugger.views.components.tables import draw_pager, pager

st.session_state.setdefault("rows", {rows})
st.session_state.setdefault("chosen", None)
page = pager("events", st.session_state.rows, st.session_state.chosen, st.session_state.chosen)
draw_pager("line", page)
st.text(f"{{page.first}} to {{page.end}}")
"""


def page_of(rows):
    """A page with a table of so many rows."""
    return AppTest.from_string(PAGE.format(rows=rows)).run()


def shown(app):
    return app.text[0].value


def test_table_of_one_page_has_nothing_to_turn():
    app = page_of(200)

    assert shown(app) == "0 to 200"
    assert keys(app) == set()


def test_last_page_comes_first():
    app = page_of(450)

    assert shown(app) == "400 to 450"
    assert control(app, "events_page").value == "3"
    assert control(app, "events_page").options == ["Page 1 of 3", "Page 2 of 3", "Page 3 of 3"]
    assert control(app, "events_next_page").disabled


def test_pages_are_turned_one_by_one():
    app = page_of(1_000)
    seen = []
    for name in ("previous", "previous", "next"):
        use(app, f"events_{name}_page")
        seen.append(shown(app))

    assert seen == ["600 to 800", "400 to 600", "600 to 800"]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("1", "0 to 200"),
        ("2", "200 to 400"),
        ("5", "800 to 1000"),
        ("6", "800 to 1000"),
    ],
)
def test_page_is_turned_to_by_its_number(number, expected):
    app = page_of(1_000)

    use(app, "events_page", number)

    assert shown(app) == expected


def test_last_page_stays_last_when_rows_are_added():
    app = page_of(450)
    use(app, "events_page", "1")
    use(app, "events_page", "3")

    app.session_state["rows"] = 650
    app.run()

    assert shown(app) == "600 to 650"


def test_page_that_was_turned_to_stays_when_rows_are_added():
    app = page_of(450)
    use(app, "events_previous_page")

    app.session_state["rows"] = 650
    app.run()

    assert shown(app) == "200 to 400"


def test_page_of_chosen_row_is_shown():
    app = page_of(450)
    use(app, "events_page", "1")

    app.session_state["chosen"] = 250
    app.run()

    assert shown(app) == "200 to 400"
