from __future__ import annotations

from uuid import uuid4

import pytest

from debugger.views import backends, connections
from debugger.views.backends import CurrentBackend
from tests.views.bars import badges, use, words
from tests.views.records import record_of


@pytest.mark.parametrize(("is_beyond", "policy"), [(True, "refuse"), (False, None)])
def test_page_beyond_loopback_refuses_private_targets(is_beyond, policy, monkeypatch, tmp_path):
    opened = []
    monkeypatch.setenv("WORKFLOW_DEBUGGER_DATABASE", f"sqlite:///{tmp_path}/runs.sqlite3")
    monkeypatch.setenv("WORKFLOW_DEBUGGER_INLINE_PYTHON", "off")
    monkeypatch.delenv("WORKFLOW_DEBUGGER_OUTBOUND_PRIVATE", raising=False)
    monkeypatch.setattr(backends, "is_beyond_this_machine", lambda settings: is_beyond)
    monkeypatch.setattr(backends, "_consent_key", lambda settings: None)
    monkeypatch.setattr(backends, "open_embedded", lambda settings, **_: opened.append(settings))

    backends.embedded_backend.__wrapped__()

    assert opened[0].outbound_private == policy


def test_address_without_backend_opens_last_one_of_browser(view, backend, monkeypatch):
    token = uuid4().hex
    monkeypatch.setattr(connections, "owner_token", lambda: token)
    first, later, named, after = (view("connection") for _ in range(4))
    named.query_params["backend"] = "embedded"
    names = []

    first.run()
    use(first, "backend", "hosted")
    for tab in (first, later, named, after):
        tab.run()
        names.append(record_of(tab, CurrentBackend).name)

    assert names == ["hosted", "hosted", "embedded", "embedded"]
    assert "not connected" in badges(later)
    assert "Embedded engine" in words(after)


def test_link_to_connection_that_is_not_here_leaves_last_backend(view, backend, monkeypatch):
    token = uuid4().hex
    monkeypatch.setattr(connections, "owner_token", lambda: token)
    linked, later = view("debug"), view("debug")
    linked.query_params.update(
        {"backend": "hosted", "connection": "gone", "workflow": "6b0f0f58e4ef3889b277fb7c"}
    )

    names = [record_of(tab.run(), CurrentBackend).name for tab in (linked, later)]

    assert names == ["hosted", "embedded"]
