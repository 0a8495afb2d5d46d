from __future__ import annotations

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


def test_a_key_is_kept_with_what_it_is_for(keys):
    added, shown = keys.add(" Ada ", Role.RUN)
    other, _ = keys.add("Bo", Role.ADMIN)

    assert keys.all() == [added, other]
    assert (added.person, added.role, added.team, added.revoked_at) == ("Ada", Role.RUN, None, None)
    assert added.digest == digest_of(shown.encode())


def test_no_two_keys_are_alike_and_none_can_be_guessed(keys):
    shown = {keys.add("Ada", Role.READ)[1] for _ in range(3)}

    assert len(shown) == 3
    assert all(key.startswith("wfd_") and len(key) >= 4 + 43 for key in shown)


def test_the_key_itself_is_not_in_the_database(url):
    with closing(Store(url)) as store:
        _, shown = store.api_keys.add("Ada", Role.RUN)

    with closing(Database(url)) as database, database.reading() as connection:
        [row] = connection.execute(select(api_keys)).all()

    assert shown.removeprefix("wfd_") not in str(row)


def test_a_revoked_key_stays_in_the_list_and_its_time_does_not_change(keys):
    added, _ = keys.add("Ada", Role.RUN)

    keys.revoke(added.id)
    [first] = keys.all()
    keys.revoke(added.id)
    [second] = keys.all()

    assert first.revoked_at is not None
    assert second == first


def test_a_key_that_is_not_there_cannot_be_revoked(keys):
    with pytest.raises(NotFoundError, match="665f"):
        keys.revoke("665f00000000000000000001")


@pytest.mark.parametrize("person", ["", "  ", "a" * 81, "two\nlines", "a\0b"])
def test_a_name_that_cannot_be_a_persons_is_refused(keys, person):
    with pytest.raises(InputError, match="a person's"):
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
def test_a_role_may_do_what_those_before_it_may(role, may):
    assert [needed for needed in Role if role.covers(needed)] == may.split()


def test_keys_of_two_processes_are_the_same(url):
    with closing(Store(url)) as one, closing(Store(url)) as other:
        added, _ = one.api_keys.add("Ada", Role.RUN)
        seen = other.api_keys.all()
        other.api_keys.revoke(added.id)

        assert seen == [added]
        assert isinstance(one.api_keys, ApiKeys)
        assert one.api_keys.all()[0].revoked_at is not None
