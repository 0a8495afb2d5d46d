"""Elements of our own: their markup, look and script stand in files beside the module that draws them."""

from __future__ import annotations

from importlib import resources

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer


def own_component(
    name: str, package: str | None, lead: str, scripts: tuple[str, ...] = ()
) -> ComponentRenderer:
    """Make an element known to Streamlit.

    Args:
        name: Streamlit's name of it.
        package: Where its files are.
        lead: Their name without the ending.
        scripts: Its scripts in order, if they are more than one.
    """
    folder = resources.files(package or "")

    def text(file: str) -> str:
        return folder.joinpath(file).read_text(encoding="utf-8")

    js = "\n".join(map(text, scripts or (f"{lead}.js",)))
    return st.components.v2.component(name, html=text(f"{lead}.html"), css=text(f"{lead}.css"), js=js)
