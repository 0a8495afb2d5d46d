from __future__ import annotations

import asyncio

import pytest

from debugger.views.streamlit_patches import prefetch
from debugger.views.streamlit_patches.prefetch import Prefetch


@pytest.fixture
def begun(monkeypatch):
    """The runs whose reading has started."""
    runs = []
    monkeypatch.setattr(prefetch.prefetcher, "begin", lambda backend, run_id: runs.append(run_id))
    return runs


def ask(query, kind="http"):
    """Ask for a page; what was handed on to the app."""
    asked = []

    async def app(scope, receive, send):
        asked.append(scope)

    scope = {"type": kind, "path": "/", "query_string": query}
    asyncio.run(Prefetch(app)(scope, None, None))
    assert asked == [scope]


def test_link_to_run_of_embedded_engine_has_it_read(begun):
    ask(b"backend=embedded&workflow=w&run=6b08&turn=3")

    assert begun == ["6b08"]


@pytest.mark.parametrize(
    "query", [b"", b"run=6b08", b"backend=hosted&run=6b08", b"backend=embedded&run=", b"\xff=%FF&&&="]
)
def test_any_other_address_has_nothing_read(begun, query):
    ask(query)

    assert begun == []


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
def test_only_pages_are_looked_at(begun, kind):
    ask(b"backend=embedded&run=6b08", kind)

    assert begun == []
