"""Components of the app: markup, style and script beside their module.

A script draws data, again and again, and tells of events. It knows neither Streamlit nor the page: these are
adapted to it by `streamlit.js`, and `tests/components/` draws it without them.

Streamlit sends the look and the script of an element along with each drawing of it, some 100 KB for a click
on the debug page. So what it gets is a line that fetches them, which a browser does once for good.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from importlib import resources
from typing import Any

import streamlit as st

from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
from debugger.views.streamlit_patches import is_enabled

FOLDER = "/elements/"
"""In the addresses of the files that a browser fetches."""
_FILES: dict[str, bytes] = {}
"""The files by their names, which change with what is in them."""


def _read(package: str | None, file: str) -> str:
    return resources.files(package or "").joinpath(file).read_text(encoding="utf-8")


_FORCED_COLOURS, _STREAMLIT = _read(__package__, "forced_colours.css"), _read(__package__, "streamlit.js")
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
  const { default: draw, adapt, style } = await fetched;
  given.parentElement.adoptedStyleSheets = [style];
  return adapt(draw, given);
}
"""
_EXPORT, _ADAPTED = "export default function", "export default given => adapt(drawn, given);"


@dataclass(frozen=True)
class Component:
    """A component, which a call of it draws in Streamlit's page."""

    html: str
    css: str
    script: str
    """A module. Its default export takes `root`, which has the markup, `data`, `emit`, which takes name and
    value of an event, and `around`, see `streamlit.js`; it may return what ends it."""
    _draw: Callable[..., Any]

    def __call__(self, *, key: str, data: JsonObject, **arguments: Any) -> None:
        """Draw it.

        Args:
            key: The widget's.
            data: What it draws.
            arguments: Streamlit's own: sizes, and what takes its events.
        """
        self._draw(key=key, data=data, **arguments)


def component(
    name: str,
    package: str | None,
    lead: str,
    scripts: tuple[str, ...] = (),
    *,
    page_scripts: tuple[str, ...] = (),
    kept: tuple[str, ...] = (),
) -> Component:
    """Register a component with Streamlit.

    Args:
        name: Streamlit's name of it.
        package: Where its files are.
        lead: Their name without the ending.
        scripts: Its scripts in order, if they are more than one.
        page_scripts: Scripts of the page, which are no part of the component and come with it.
        kept: Its events whose last value Streamlit keeps; it tells of each other one once.
    """
    text = partial(_read, package)
    html, css = text(f"{lead}.html"), text(f"{lead}.css") + _FORCED_COLOURS
    script = "\n".join(map(text, scripts or (f"{lead}.js",)))
    adapter = "\n".join([*map(text, page_scripts), f"const KEPT = {encode(kept).decode()};", _STREAMLIT])
    if not is_enabled("component_assets"):
        whole = script.replace(_EXPORT, "const drawn = function") + f"\n{adapter}{_ADAPTED}"
        return Component(html, css, script, st.components.v2.component(name, html=html, css=css, js=whole))
    fetched = f"{script}\n{adapter}" + _FETCHED.replace("STYLE", encode(css).decode())
    fetch = _FETCH.replace("ADDRESS", FOLDER[1:] + _keep(name, fetched.encode()))
    draw = st.components.v2.component(name, html=html, css=_UNTIL_STYLED, js=fetch)
    return Component(html, css, script, draw)


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
