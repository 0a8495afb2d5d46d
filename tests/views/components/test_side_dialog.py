from __future__ import annotations

from streamlit.proto.Block_pb2 import Block
from streamlit.testing.v1 import AppTest


def page():
    import streamlit as st

    from debugger.views.components.side_dialog import dialog_footer, side_dialog

    def body() -> None:
        st.text_input("Name", key="name")
        with dialog_footer():
            st.button("Keep the name", key="keep", type="primary")

    side_dialog("Name", icon=":material/edit:", on_dismiss=lambda: None)(body)()


def test_side_dialog_lies_at_the_right_edge():
    app = AppTest.from_function(page)

    app.run()

    (dialog,) = app.get("dialog")
    assert dialog.proto.dialog.position == Block.Dialog.DialogPosition.RIGHT
    assert 560 <= dialog.proto.dialog.pixel_width <= 640
    assert app.button("keep").label == "Keep the name"
