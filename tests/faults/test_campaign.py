"""Losses between client and server: no turn is lost or doubled.

``CAMPAIGN_SEED`` repeats a campaign; each prints its seed and a table of the outcomes.
"""

from __future__ import annotations

import os

import pytest

from tests.faults.campaign import Terms, run_campaign
from tests.faults.plan import FULL, SCALED_DOWN
from tests.support.postgres import a_database, a_schema

SEED = os.environ.get("CAMPAIGN_SEED", "2026")
TURNS = 1000
SHARE = 20
"""The part of a campaign that every test run repeats."""
NOTHING_WRONG = {"lost": 0, "doubled": 0, "surplus": 0, "differing": 0, "given_up": 0}


def run(channel, turns, database, folder, timing=SCALED_DOWN, **options):
    terms = Terms(channel, turns, SEED, timing, **options)
    found, outcomes = run_campaign(terms, database, folder)
    print(f"\nseed {SEED}, {channel}, {turns} turns: {found.counts}\n{outcomes.table()}\n{found.listed()}")
    return found, outcomes


@pytest.fixture
def sqlite(tmp_path):
    return f"sqlite:///{tmp_path}/runs.sqlite3"


@pytest.mark.parametrize("channel", ["rest", "socket"])
def test_conversations_without_faults(channel, sqlite, tmp_path):
    found, outcomes = run(channel, 10, sqlite, tmp_path, struck=0)

    assert found.counts == NOTHING_WRONG
    assert outcomes.total("arrived") == outcomes.total("turns") >= 10


def test_requests_on_postgresql(tmp_path):
    with a_database() as database, a_schema(database) as url:
        found, _ = run("rest", TURNS // SHARE, url, tmp_path)

    assert found.counts == NOTHING_WRONG


def test_socket_on_sqlite(sqlite, tmp_path):
    found, _ = run("socket", TURNS // SHARE, sqlite, tmp_path)

    assert found.counts == NOTHING_WRONG


@pytest.mark.campaign
@pytest.mark.parametrize("channel", ["rest", "socket"])
def test_campaign(channel, sqlite, tmp_path):
    found, _ = run(channel, TURNS, sqlite, tmp_path, FULL, workers=8)

    assert found.counts == NOTHING_WRONG


@pytest.mark.campaign
@pytest.mark.parametrize("channel", ["rest", "socket"])
def test_campaign_without_recorded_client_turn_ids(channel, sqlite, tmp_path):
    module = "tests.faults.forgetful_server"
    found, outcomes = run(channel, TURNS, sqlite, tmp_path, FULL, workers=8, module=module)

    assert (found.lost, found.doubled) == ([], [])
    assert outcomes.total("turns") >= TURNS
