from __future__ import annotations

import pytest

from debugger.views import backends


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
