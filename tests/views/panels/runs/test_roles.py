from __future__ import annotations

import pytest

from debugger.store import Role
from debugger.views.auth import permissions
from debugger.views.auth.permissions import User
from tests.views.bars import control


@pytest.fixture
def sign_in(monkeypatch):
    """Signs a user in."""

    def signed_in(name, role):
        monkeypatch.setattr(permissions, "current_user", lambda: User(name, role, is_local=False))

    return signed_in


@pytest.mark.parametrize(
    ("role", "closed"),
    [
        (
            Role.READ,
            {"star_chosen", "bulk_pass", "review_chosen", "replay_chosen", "delete_chosen", "erase_chosen"},
        ),
        (Role.REVIEW, {"replay_chosen", "delete_chosen", "erase_chosen"}),
        (Role.RUN, {"delete_chosen", "erase_chosen"}),
        (Role.ADMIN, set()),
    ],
)
def test_actions_are_closed_without_their_role(app, walks, tick, sign_in, role, closed):
    walks(2)
    sign_in("Rita", role)
    app.run()

    tick(0)

    keys = {"star_chosen", "bulk_pass", "review_chosen", "replay_chosen", "delete_chosen", "erase_chosen"}
    assert {key for key in keys | {"export_chosen"} if control(app, key).disabled} == closed
    assert all("Needs the role" in control(app, key).help for key in closed)


def test_deletions_are_in_the_audit_list(app, backend, walks, tick, sign_in):
    first, second = walks(2)
    sign_in("Ada", Role.ADMIN)
    app.run()

    tick(0)
    control(app, "delete_chosen").use()
    app.button("delete_runs").click().run()
    control(app, "undo_runs").use()
    tick(1)
    control(app, "erase_chosen").use()
    app.checkbox("erasure_is_sure").check().run()
    app.button("erase_runs").click().run()

    entries = [(entry.person, entry.action, entry.target) for entry in backend.store.audit.newest()]
    assert entries == [
        ("Ada", "erase run", second),
        ("Ada", "restore run", first),
        ("Ada", "delete run", first),
    ]
    assert not app.exception
