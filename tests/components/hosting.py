"""A page for components: served by a plain server, with the colours and the fonts of the app."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import streamlit

import debugger
from tests.support.http_server import Handler, HttpServer

HERE = Path(__file__).parent
CONFIG = Path(debugger.__file__).parent / "views" / "app" / ".streamlit" / "config.toml"
MEDIA = Path(streamlit.__file__).parent / "static" / "static" / "media"
FONTS = {
    "Source Sans": "SourceSansVF-Upright.*.woff2",
    "Material Symbols Rounded": "MaterialSymbols-Rounded.*.woff2",
}
"""The files of Streamlit by the names of the fonts: of another width, texts would be cut at other places."""


@contextmanager
def host_server() -> Iterator[HttpServer]:
    """Serve the page; scripts of components are added to it as they are drawn."""
    fonts = {name: next(MEDIA.glob(pattern)) for name, pattern in FONTS.items()}
    faces = "".join(
        f'@font-face {{ font-family: "{name}"; src: url("{file.name}"); font-weight: 200 900; }}'
        for name, file in fonts.items()
    )
    html = (HERE / "host.html").read_text(encoding="utf-8")
    with HttpServer() as server:
        page = html.replace("FONTS", faces).replace("THEME", _theme())
        serve(server, "", page.encode(), "text/html; charset=utf-8")
        serve(server, "host.js", (HERE / "host.js").read_bytes(), "text/javascript")
        for file in fonts.values():
            serve(server, file.name, file.read_bytes(), "font/woff2")
        yield server


def serve(server: HttpServer, name: str, content: bytes, kind: str) -> None:
    """Add a file, which a browser keeps."""
    kept = {"Cache_Control": "max-age=3600"}
    server.routes[f"/{name}"] = partial(Handler.send_body, body=content, content_type=kind, **kept)


def _theme() -> str:
    theme = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"]
    light, dark = theme["light"], theme["dark"]
    values = {name: value for name, value in theme.items() if isinstance(value, str)}
    values |= {name: f"light-dark({light[name]}, {dark[name]})" for name in light if name.endswith("Color")}
    values |= {"font": '"Source Sans", sans-serif', "codeFont": "monospace"}
    return " ".join(f"--st-{_kebab(name)}: {value};" for name, value in values.items())


def _kebab(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", name)
