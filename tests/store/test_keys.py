from __future__ import annotations

import time
from contextlib import closing

import pytest
from sqlalchemy import select

from debugger.errors import InputError, NotFoundError
from debugger.store import ApiKeys, Role, Store, digest_of
from debugger.store.database import Database
from debugger.store.schema import api_keys


@pytest.fixture
def keys(store):
    return store.api_keys


def test_key_stores_person_and_role(keys):
    added, shown = keys.add(" Ada ", Role.RUN)
    other, _ = keys.add("Bo", Role.ADMIN)

    assert keys.all() == [added, other]
    assert (added.person, added.role, added.team, added.revoked_at) == ("Ada", Role.RUN, None, None)
    assert added.digest == digest_of(shown.encode())


def test_keys_are_random(keys):
    shown = {keys.add("Ada", Role.READ)[1] for _ in range(3)}

    assert len(shown) == 3
    assert all(key.startswith("wfd_") and len(key) >= 4 + 43 for key in shown)


def test_the_key_itself_is_not_in_the_database(url):
    with closing(Store(url)) as store:
        _, shown = store.api_keys.add("Ada", Role.RUN)

    with closing(Database(url)) as database, database.reading() as connection:
        [row] = connection.execute(select(api_keys)).all()

    assert shown.removeprefix("wfd_") not in str(row)


def test_revoke_keeps_key_and_first_time(keys):
    added, _ = keys.add("Ada", Role.RUN)

    keys.revoke(added.id)
    [first] = keys.all()
    keys.revoke(added.id)
    [second] = keys.all()

    assert first.revoked_at is not None
    assert second == first


def test_revoke_rejects_unknown_key(keys):
    with pytest.raises(NotFoundError, match="665f"):
        keys.revoke("665f00000000000000000001")


@pytest.mark.parametrize("person", ["", "  ", "a" * 81, "two\nlines", "a\0b"])
def test_add_rejects_invalid_name(keys, person):
    with pytest.raises(InputError, match="not valid for a user"):
        keys.add(person, Role.READ)

    assert keys.all() == []


@pytest.mark.parametrize(
    "role, may",
    [
        (Role.READ, "read"),
        (Role.REVIEW, "read review"),
        (Role.RUN, "read review run"),
        (Role.ADMIN, "read review run admin"),
    ],
)
def test_role_covers_lower_roles(role, may):
    assert [needed for needed in Role if role.covers(needed)] == may.split()


def test_keys_of_two_processes_are_the_same(url):
    with closing(Store(url)) as one, closing(Store(url)) as other:
        added, _ = one.api_keys.add("Ada", Role.RUN)
        seen = other.api_keys.all()
        other.api_keys.revoke(added.id)

        assert seen == [added]
        assert isinstance(one.api_keys, ApiKeys)
        assert one.api_keys.all()[0].revoked_at is not None


def test_ended_login_is_known_to_every_store(tmp_path):
    url = f"sqlite:///{tmp_path}/runs.sqlite3"
    with closing(Store(url)) as one, closing(Store(url)) as other:
        one.ended_logins.add("a" * 64, time.time() + 60)
        one.ended_logins.add("a" * 64, time.time() + 60)

        assert other.ended_logins.digests() == {"a" * 64}


def test_expired_login_is_forgotten(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/runs.sqlite3")) as store:
        store.ended_logins.add("a" * 64, time.time() - 1)
        store.ended_logins.add("b" * 64, time.time() + 60)

        assert store.ended_logins.digests() == {"b" * 64}
