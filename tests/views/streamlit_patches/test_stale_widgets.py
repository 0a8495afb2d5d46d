from __future__ import annotations

import pytest
from streamlit.runtime.state.session_state import SessionState
from streamlit.testing.v1 import AppTest

from debugger.views.streamlit_patches import stale_widgets
from debugger.views.streamlit_patches.stale_widgets import ignore_stale_widgets


def page():
    import streamlit as st

    def changed():
        st.session_state.calls += 1

    st.session_state.setdefault("calls", 0)
    if "preset" in st.session_state:
        st.session_state.text = st.session_state.pop("preset")
    if "is_gone" not in st.session_state:
        st.text_input("Text", key="text", on_change=changed)


@pytest.fixture
def app(monkeypatch):
    # Another test of this process may have started the app; the method is put back afterwards.
    monkeypatch.setattr(SessionState, "_widget_changed", stale_widgets._is_changed)
    return AppTest.from_function(page).run()


def send_late(app):
    """Take the text box off the page, and send its text once more."""
    app.text_input[0].input("typed")
    sent = app._tree.get_widget_states()
    app.session_state.is_gone = True
    app.run()
    calls = app.session_state.calls
    app._run(sent)
    return app.session_state.calls - calls


def test_change_of_drawn_widget_calls_its_handler(app):
    ignore_stale_widgets()

    app.text_input[0].input("typed").run()

    assert app.session_state.calls == 1


def test_widget_set_by_the_script_changes_like_any_other(app):
    ignore_stale_widgets()
    app.session_state.preset = "set"
    app.run()
    unchanged = app.session_state.calls

    app.text_input[0].input("typed").run()

    assert (unchanged, app.session_state.calls) == (0, 1)


def test_value_of_widget_that_has_gone_calls_no_handler(app):
    ignore_stale_widgets()

    assert send_late(app) == 0


def test_streamlit_alone_calls_the_handler(app):
    assert send_late(app) == 1  # else the patch can go
