from __future__ import annotations

import asyncio
import threading
from contextlib import closing

import pytest

from debugger.errors import StoreError
from debugger.server.auth.keys import (
    FRESH_SECONDS,
    LOCAL_USER,
    MAX_TOKENS,
    SHARED_KEY,
    TOKEN_SECONDS,
    KeyStore,
    Principal,
    SessionTokens,
)
from debugger.store import Role, Store
from tests.support.clock import Clock


@pytest.fixture
def store(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/runs.sqlite3")) as opened:
        yield opened


def test_find_returns_principal_of_key(store):
    added, shown = store.api_keys.add("Ada", Role.RUN)
    keys = KeyStore(store.api_keys)

    async def find():
        return await keys.find(shown.encode()), await keys.find(shown.encode() + b"x"), await keys.find(b"")

    assert asyncio.run(find()) == (Principal(Role.RUN, "Ada", added.id), None, None)


def test_find_returns_administrator_for_shared_key():
    keys = KeyStore(None, "sk-shared-ä")

    async def find():
        return await keys.find("sk-shared-ä".encode()), await keys.find(b"sk-other")

    assert asyncio.run(find()) == (SHARED_KEY, None)
    assert (SHARED_KEY.role, SHARED_KEY.person) == (Role.ADMIN, None)


def test_find_reads_keys_again_after_a_second(store):
    added, old = store.api_keys.add("Ada", Role.RUN)
    clock = Clock(0.0)
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


def test_find_reads_keys_once_a_second(store):
    asked, clock = [], Clock(0.0)

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
def test_key_stays_required_after_first_key(store, shared):
    clock = Clock(0.0)
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


def test_require_holds_without_keys(store):
    keys = KeyStore(store.api_keys)
    keys.require()

    assert asyncio.run(keys.is_required())


def test_revoked_keys_keep_key_required(store):
    store.api_keys.revoke(store.api_keys.add("Ada", Role.RUN)[0].id)

    assert asyncio.run(KeyStore(store.api_keys).is_required())


def test_concurrent_finds_share_one_error():
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


def test_principal_is_valid_until_revoked(store):
    added, shown = store.api_keys.add("Ada", Role.RUN)
    clock = Clock(0.0)
    keys = KeyStore(store.api_keys, now=clock)

    async def walk():
        ada = await keys.find(shown.encode())
        found = [await keys.is_still_valid(who) for who in (ada, SHARED_KEY)]
        store.api_keys.revoke(added.id)
        clock.seconds += 2
        return found, [await keys.is_still_valid(who) for who in (ada, SHARED_KEY)]

    assert asyncio.run(walk()) == ([True, True], [False, True])


def test_local_user_is_valid_until_first_key(store):
    clock = Clock(0.0)
    keys = KeyStore(store.api_keys, now=clock)

    async def walk():
        before = await keys.is_still_valid(LOCAL_USER)
        store.api_keys.add("Ada", Role.RUN)
        clock.seconds += 2
        return before, await keys.is_still_valid(LOCAL_USER)

    assert asyncio.run(walk()) == (True, False)


def test_unreadable_keys_leave_principals_valid(store):
    _, shown = store.api_keys.add("Ada", Role.RUN)
    clock = Clock(0.0)
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


PATH = "/workflows/v1/workflow-runs/ws"


def handshake(token, path=PATH, kind="websocket"):
    return {"type": kind, "path": path, "query_string": f"token={token}".encode()}


def test_a_token_is_good_once():
    tokens = SessionTokens()
    token = tokens.mint(LOCAL_USER)

    assert tokens.redeem(handshake(token))
    assert not tokens.redeem(handshake(token))


def test_session_token_expires():
    now = [0.0]
    tokens = SessionTokens(lambda: now[0])
    early, late = tokens.mint(LOCAL_USER), tokens.mint(LOCAL_USER)

    now[0] = TOKEN_SECONDS
    assert tokens.redeem(handshake(early))
    now[0] = TOKEN_SECONDS + 0.1
    assert not tokens.redeem(handshake(late))


def test_a_token_is_for_the_socket_only():
    tokens = SessionTokens()
    token = tokens.mint(LOCAL_USER)

    assert not tokens.redeem(handshake(token, path="/workflows/v1/workflows"))
    assert not tokens.redeem(handshake(token, kind="http"))
    assert tokens.redeem(handshake(token))


def test_unused_session_tokens_are_bounded():
    tokens = SessionTokens()
    first = tokens.mint(LOCAL_USER)
    for _ in range(MAX_TOKENS):
        tokens.mint(LOCAL_USER)

    assert not tokens.redeem(handshake(first))


def test_no_token_is_no_good_token():
    assert not SessionTokens().redeem({"type": "websocket", "path": PATH, "query_string": b""})
