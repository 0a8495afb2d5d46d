"""Components on a page, drawn and answered as the app would."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from hashlib import sha256
from typing import Any
from unittest.mock import patch

import streamlit as st
from playwright.sync_api import Page

from debugger.protocol.json_codec import encode
from debugger.views.components.factory import Component
from tests.components.hosting import serve
from tests.support.http_server import HttpServer

COMES = "([name, from]) => window.events.slice(from).some(([, event]) => event === name)"
Told = tuple[str, str, Any]
"""The key of a component, the name of an event, and its value."""


class Host:
    """A page with components."""

    def __init__(self, page: Page, server: HttpServer) -> None:
        self.page = page
        self._server = server
        self._session: dict[str, Any] = {}
        self._draw: Callable[[], object] = lambda: None
        self._into = "body"
        self._callbacks: dict[str, Callable[[], None]] = {}
        self._answered = 0
        page.goto(server.url)
        page.wait_for_function("() => window.draw")

    @property
    def events(self) -> list[Told]:
        """All that the components have told."""
        return [(key, event, value) for key, event, value in self.page.evaluate("window.events")]

    @property
    def keys(self) -> list[str]:
        """The keys that no component has kept from the page."""
        return self.page.evaluate("window.keys")

    def draw(self, draw: Callable[[], object], *, into: str = "") -> None:
        """Draw what a function would have Streamlit draw; later ones of the same key change it.

        Args:
            draw: Draws components of `debugger.views.components`.
            into: The element of the page that gets new ones; the body at first.
        """
        self._draw, self._into = draw, into or self._into
        drawn: list[tuple[Component, dict[str, Any]]] = []
        with self._app(lambda component, **arguments: drawn.append((component, arguments))):
            draw()
        for component, arguments in drawn:
            self._put(component, **arguments)

    def answer(self) -> None:
        """Do what the app does about the events since the last answer, and draw all anew."""
        events = self.events
        for key, event, value in events[self._answered :]:
            self._session[key] = {event: value}
            with self._app(None):
                self._callbacks[f"{key} on_{event}_change"]()
        self._answered = len(events)
        self.draw(self._draw)

    def answer_event(self, event: str) -> None:
        """Wait for an event that comes after a while, and answer it."""
        self.page.wait_for_function(COMES, arg=[event, self._answered])
        self.answer()

    def _put(self, component: Component, *, key: str, data: Any, height: Any = None, **given: Any) -> None:
        self._callbacks |= {f"{key} {name}": each for name, each in given.items() if callable(each)}
        script = f"{sha256(component.script.encode()).hexdigest()[:16]}.js"
        if f"/{script}" not in self._server.routes:
            serve(self._server, script, component.script.encode(), "text/javascript; charset=utf-8")
        drawing = {"html": component.html, "css": component.css, "script": f"./{script}", "key": key}
        # As one text: it takes Playwright far longer to hand over an object of some thousand parts.
        drawing |= {"data": encode(data).decode(), "height": height, "into": self._into}
        self.page.evaluate("drawing => window.draw(drawing)", drawing)

    @contextmanager
    def _app(self, draw: Callable[..., None] | None):
        with patch.object(Component, "__call__", draw), patch.object(st, "session_state", self._session):
            yield
