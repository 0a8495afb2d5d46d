from __future__ import annotations

import time
from contextlib import closing

import pytest
from sqlalchemy import select

from debugger.errors import NotFoundError
from debugger.store import RerunTicket, Store
from debugger.store.rerun_tokens import redeem_token
from debugger.store.schema import rerun_tokens

RUN = "665f00000000000000000001"


def ticket(seconds=60.0, **fields):
    told = {"run_id": RUN, "turn_index": 1, "graph_digest": "d", "target": {"a": None}, "edits": {}}
    return RerunTicket(**{**told, "expires_at": time.time() + seconds, **fields})


@pytest.fixture
def store(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/runs.sqlite3")) as opened:
        yield opened


def test_token_is_valid_until_redeemed(store):
    def redeem(token):
        with store._database.writing() as connection:
            return redeem_token(connection, token)

    given = ticket()
    token = store.rerun_tokens.mint(given)

    assert store.rerun_tokens.find(token) == given
    store.rerun_tokens.amend(token, {"b": 1})
    assert redeem(token).edits == {"b": 1}
    for use in (store.rerun_tokens.find, redeem):
        with pytest.raises(NotFoundError, match="no such"):
            use(token)


def test_the_database_does_not_know_the_token_itself(store):
    token = store.rerun_tokens.mint(ticket())

    with store._database.reading() as connection:
        rows = connection.execute(select(rerun_tokens)).all()

    assert len(rows) == 1
    assert token not in str(rows)


def test_tokens_that_expired_long_ago_are_swept_away(store):
    old, recent = store.rerun_tokens.mint(ticket(-5000)), store.rerun_tokens.mint(ticket(-5))
    store.rerun_tokens.mint(ticket())

    with pytest.raises(NotFoundError, match="no such"):
        store.rerun_tokens.find(old)
    with pytest.raises(NotFoundError, match="expired"):
        store.rerun_tokens.find(recent)
