from __future__ import annotations

from debugger.server.services import BackgroundOwners


def test_last_socket_owns_background_work():
    owners = BackgroundOwners()
    one, other = object(), object()

    owners.acquire("run", one)
    owners.acquire("run", other)

    assert not owners.is_owner("run", one)
    assert owners.is_owner("run", other)


def test_release_leaves_other_owners_alone():
    owners = BackgroundOwners()
    one, other = object(), object()
    owners.acquire("run", one)
    owners.acquire("run", other)

    owners.release("run", one)
    assert owners.is_owner("run", other)

    owners.release("run", other)
    assert not owners.is_owner("run", other)
