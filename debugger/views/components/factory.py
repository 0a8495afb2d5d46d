"""Components of the app: markup, style and script beside their module.

Streamlit sends the look and the script of an element along with each drawing of it, some 100 KB for a click
on the debug page. So what it gets is a line that fetches them, which a browser does once for good.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from importlib import resources
from typing import Any

import streamlit as st

from debugger.protocol.json_codec import encode
from debugger.views.streamlit_patches import is_enabled

FOLDER = "/elements/"
"""In the addresses of the files that a browser fetches."""
_FILES: dict[str, bytes] = {}
"""The files by their names, which change with what is in them."""
_FORCED_COLOURS = (
    resources.files(__package__ or "").joinpath("forced_colours.css").read_text(encoding="utf-8")
)
_UNTIL_STYLED = ":host { visibility: hidden; }"
_FETCHED = """
const style = new CSSStyleSheet();
style.replaceSync(":host { visibility: inherit; }" + STYLE);
export { style };
"""
_FETCH = """
let fetched;
export default async function (given) {
  fetched ??= import(new URL("ADDRESS", document.baseURI));
  fetched.catch(() => { fetched = undefined; }); // the next drawing asks again
  const { default: take, style } = await fetched;
  given.parentElement.adoptedStyleSheets = [style];
  return take(given);
}
"""


def component(name: str, package: str | None, lead: str, scripts: tuple[str, ...] = ()) -> Callable[..., Any]:
    """Register a component with Streamlit.

    Args:
        name: Streamlit's name of it.
        package: Where its files are.
        lead: Their name without the ending.
        scripts: Its scripts in order, if they are more than one.
    """
    folder = resources.files(package or "")

    def text(file: str) -> str:
        return folder.joinpath(file).read_text(encoding="utf-8")

    html, style = text(f"{lead}.html"), text(f"{lead}.css") + _FORCED_COLOURS
    script = "\n".join(map(text, scripts or (f"{lead}.js",)))
    if not is_enabled("component_assets"):
        return st.components.v2.component(name, html=html, css=style, js=script)
    fetched = script + _FETCHED.replace("STYLE", encode(style).decode())
    fetch = _FETCH.replace("ADDRESS", FOLDER[1:] + _keep(name, fetched.encode()))
    return st.components.v2.component(name, html=html, css=_UNTIL_STYLED, js=fetch)


def component_file(name: str) -> bytes | None:
    """Return the file of a component by its name, or ``None``."""
    return _FILES.get(name)


def component_files() -> list[str]:
    """Return the names of all components' files so far."""
    return list(_FILES)


def _keep(name: str, content: bytes) -> str:
    file = f"{name}-{sha256(content).hexdigest()[:16]}.js"
    _FILES[file] = content
    return file
