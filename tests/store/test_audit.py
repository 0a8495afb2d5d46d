from __future__ import annotations


def test_audit_returns_newest_first(store):
    store.audit.append("Ada", "run", "send turn", "run-1", {"turn_number": 3})
    store.audit.append("Bo", "admin", "delete run", "run-1")

    newest, oldest = store.audit.newest()

    assert (newest.person, newest.role, newest.action, newest.details) == ("Bo", "admin", "delete run", {})
    assert (oldest.target, oldest.details) == ("run-1", {"turn_number": 3})
    assert oldest.at <= newest.at


def test_audit_returns_at_most_limit(store):
    for number in range(4):
        store.audit.append("Ada", "run", "send turn", f"run-{number}")

    assert [entry.target for entry in store.audit.newest(2)] == ["run-3", "run-2"]
