from __future__ import annotations

from streamlit.testing.v1 import AppTest


def draw_filled_box() -> None:
    import streamlit as st

    from debugger.views.components.text_box import text_box

    if "box" not in st.session_state:
        st.session_state["box"] = "Stored."
    text_box("Note", "box")


def test_text_that_is_set_is_default_too():
    app = AppTest.from_function(draw_filled_box).run()

    [box] = app.text_area
    assert (box.value, box.proto.default, app.exception) == ("Stored.", "Stored.", [])

    box.set_value("Typed.").run()
    [box] = app.text_area
    assert (box.value, box.proto.default) == ("Typed.", "Typed.")
