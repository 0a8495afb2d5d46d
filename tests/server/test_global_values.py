from __future__ import annotations

from contextlib import closing

import pytest

from debugger.server import global_values
from debugger.server.global_values import GlobalValues
from debugger.store import Store

BLANK = {"is_secret": False, "value": "", "description": None, "category": None}


@pytest.fixture
def store(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/runs.sqlite3", encryption_key="a long text")) as opened:
        yield opened


def test_open_values_and_secrets_are_told_apart(store):
    store.globals.create({**BLANK, "name": "shop", "value": "Leaf"})
    store.globals.create({**BLANK, "name": "key", "value": "hunter2", "is_secret": True})
    store.globals.create({**BLANK, "name": "pin", "value": 1234, "is_secret": True})
    values = GlobalValues(store)

    assert values.dynamic() == {"shop": "Leaf", "global": {"shop": "Leaf"}}
    assert values.secrets() == {"key": "hunter2", "pin": "1234"}


def test_without_open_values_runs_begin_with_none(store):
    store.globals.create({**BLANK, "name": "key", "value": "hunter2", "is_secret": True})

    assert GlobalValues(store).dynamic() == {}


def test_a_change_counts_at_once_where_it_was_made_and_soon_elsewhere(store, monkeypatch):
    here, elsewhere = GlobalValues(store), GlobalValues(store)
    seconds = [100.0]
    monkeypatch.setattr(global_values.time, "monotonic", lambda: seconds[0])
    assert here.dynamic() == elsewhere.dynamic() == {}

    store.globals.create({**BLANK, "name": "shop", "value": "Leaf"})
    here.renew()

    assert (here.dynamic().get("shop"), elsewhere.dynamic().get("shop")) == ("Leaf", None)
    seconds[0] += global_values.FRESH_SECONDS + 0.1
    assert elsewhere.dynamic()["shop"] == "Leaf"
