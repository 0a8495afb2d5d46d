from __future__ import annotations

import asyncio
import threading
from contextlib import closing

import pytest

from debugger.errors import StoreError
from debugger.server.auth.keys import FRESH_SECONDS, LOCAL_USER, SHARED_KEY, KeyStore, Principal
from debugger.store import Role, Store


@pytest.fixture
def store(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/runs.sqlite3")) as opened:
        yield opened


class Clock:
    """A time that a test moves on."""

    seconds = 0.0

    def __call__(self):
        return self.seconds


def test_a_key_tells_whose_it_is_and_what_it_may(store):
    added, shown = store.api_keys.add("Ada", Role.RUN)
    keys = KeyStore(store.api_keys)

    async def find():
        return await keys.find(shown.encode()), await keys.find(shown.encode() + b"x"), await keys.find(b"")

    assert asyncio.run(find()) == (Principal(Role.RUN, "Ada", added.id), None, None)


def test_the_shared_key_is_an_administrators_and_needs_no_store():
    keys = KeyStore(None, "sk-shared-ä")

    async def find():
        return await keys.find("sk-shared-ä".encode()), await keys.find(b"sk-other")

    assert asyncio.run(find()) == (SHARED_KEY, None)
    assert (SHARED_KEY.role, SHARED_KEY.person) == (Role.ADMIN, None)


def test_a_revoked_key_opens_for_a_moment_longer_and_a_new_one_opens_after_it(store):
    added, old = store.api_keys.add("Ada", Role.RUN)
    clock = Clock()
    keys = KeyStore(store.api_keys, now=clock)

    async def walk():
        before = await keys.find(old.encode())
        store.api_keys.revoke(added.id)
        _, new = store.api_keys.add("Bo", Role.RUN)
        clock.seconds = FRESH_SECONDS
        meanwhile = [await keys.find(key.encode()) for key in (old, new)]
        clock.seconds = FRESH_SECONDS + 0.01
        after = [await keys.find(key.encode()) for key in (old, new)]
        return before, meanwhile, after

    before, meanwhile, after = asyncio.run(walk())

    assert before.person == "Ada"
    assert meanwhile == [before, None]
    assert (after[0], after[1].person) == (None, "Bo")


def test_however_many_keys_are_tried_the_database_is_asked_once_a_second(store):
    asked, clock = [], Clock()

    class Counted:
        def all(self):
            asked.append(clock.seconds)
            return store.api_keys.all()

    keys = KeyStore(Counted(), now=clock)

    async def attempt():
        await asyncio.gather(*(keys.find(b"wfd_%d" % number) for number in range(50)))
        clock.seconds = FRESH_SECONDS + 0.01
        await asyncio.gather(*(keys.find(b"wfd_%d" % number) for number in range(50)))

    asyncio.run(attempt())

    assert len(asked) == 2


@pytest.mark.parametrize("shared", [None, "sk-shared"])
def test_a_key_is_needed_once_there_is_one_and_for_good(store, shared):
    clock = Clock()
    keys = KeyStore(store.api_keys, shared, now=clock)

    async def walk():
        found = [await keys.is_required()]
        added, _ = store.api_keys.add("Ada", Role.RUN)
        clock.seconds += 2
        found.append(await keys.is_required())
        store.api_keys.revoke(added.id)
        clock.seconds += 2
        found.append(await keys.is_required())
        return found

    assert asyncio.run(walk()) == [shared is not None, True, True]


def test_a_key_that_is_demanded_is_needed_even_where_there_is_none(store):
    keys = KeyStore(store.api_keys)
    keys.require()

    assert asyncio.run(keys.is_required())


def test_keys_that_are_all_revoked_leave_a_new_server_shut(store):
    store.api_keys.revoke(store.api_keys.add("Ada", Role.RUN)[0].id)

    assert asyncio.run(KeyStore(store.api_keys).is_required())


def test_all_who_ask_while_the_database_does_not_answer_hear_of_it_at_once():
    asked, answers = [], threading.Event()

    class Late:
        def all(self):
            asked.append(1)
            answers.wait(10)
            raise StoreError("It is gone.")

    keys = KeyStore(Late())

    async def ask():
        waiting = [asyncio.create_task(keys.find(b"wfd_x")) for _ in range(20)]
        await asyncio.sleep(0)
        waiting.pop().cancel()
        answers.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    found = asyncio.run(ask())

    assert [str(error) for error in found] == ["It is gone."] * 19
    assert len(asked) == 1


def test_who_was_let_in_stays_as_long_as_their_key_is_good(store):
    added, shown = store.api_keys.add("Ada", Role.RUN)
    clock = Clock()
    keys = KeyStore(store.api_keys, now=clock)

    async def walk():
        ada = await keys.find(shown.encode())
        found = [await keys.is_still_valid(who) for who in (ada, SHARED_KEY)]
        store.api_keys.revoke(added.id)
        clock.seconds += 2
        return found, [await keys.is_still_valid(who) for who in (ada, SHARED_KEY)]

    assert asyncio.run(walk()) == ([True, True], [False, True])


def test_who_came_without_a_key_stays_until_there_is_one(store):
    clock = Clock()
    keys = KeyStore(store.api_keys, now=clock)

    async def walk():
        before = await keys.is_still_valid(LOCAL_USER)
        store.api_keys.add("Ada", Role.RUN)
        clock.seconds += 2
        return before, await keys.is_still_valid(LOCAL_USER)

    assert asyncio.run(walk()) == (True, False)


def test_a_database_that_does_not_tell_lets_nobody_in_and_throws_nobody_out(store):
    _, shown = store.api_keys.add("Ada", Role.RUN)
    clock = Clock()
    keys = KeyStore(store.api_keys, now=clock)

    async def walk():
        ada = await keys.find(shown.encode())
        with store._database.writing() as connection:
            connection.exec_driver_sql("DROP TABLE api_keys")
        clock.seconds += 2
        with pytest.raises(StoreError):
            await keys.find(shown.encode())
        return await keys.is_still_valid(ada)

    assert asyncio.run(walk())
