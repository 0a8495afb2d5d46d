"""Conversations with three servers, struck by faults: no turn is lost, doubled or shown wrongly.

``CAMPAIGN_SEED`` repeats a campaign; each prints its seed, a table of the outcomes and what it found. One
conversation is repeated, with everything that happened in it, by ``python -m tests.faults.replay``.
"""

from __future__ import annotations

import math
import os

import pytest

from tests.faults.campaign import Terms, run_campaign
from tests.faults.plan import SHORT
from tests.faults.servers import NAMES
from tests.support.postgres import a_database, a_schema

SEED = os.environ.get("CAMPAIGN_SEED", "2026")
STRUCK = int(os.environ.get("CAMPAIGN_TURNS", "400"))
SHARE = 20
"""The part of a campaign that every test run repeats."""
SECONDS = float(os.environ.get("CAMPAIGN_SECONDS", "600"))
"""After which no further conversation begins."""
QUESTIONS = {"ours": 0.01, "stranger_with_ids": 0.05}
"""The share of struck turns that the user may be asked about; about any that is ambiguous without ids."""
ACCEPTED = {"doubled by choice"}
"""The finding that is the user's choice."""
UNDECIDABLE = {"seemed"}
"""Accepted, too, where records have no ids."""
CHANNELS = ("rest", "socket")


def run(server, channel, folder, struck_turns=STRUCK // SHARE, **options):
    """Run a campaign, print its outcome and check it."""
    terms = Terms(server, channel, struck_turns, SEED, **options)
    outcome = run_campaign(terms, folder)
    print(f"\n{outcome.report()}")
    accepted = ACCEPTED if server in QUESTIONS else ACCEPTED | UNDECIDABLE
    assert [finding for finding in outcome.findings if finding.kind not in accepted] == []
    if server in QUESTIONS:
        assert len(outcome.questions) <= math.ceil(QUESTIONS[server] * len(outcome.struck))
    else:
        assert [said.strike for said in outcome.questions if not said.is_ambiguous] == []
    return outcome


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("server", NAMES)
def test_conversations_without_faults(server, channel, tmp_path):
    outcome = run(server, channel, tmp_path, struck_turns=10, struck=0, workers=1)

    assert len(outcome.said) >= 10
    assert all([step for _, step in said.steps] == ["sent", "done"] for said in outcome.said)


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("server", NAMES)
def test_twentieth(server, channel, tmp_path):
    outcome = run(server, channel, tmp_path, workers=2, timing=SHORT)

    assert len(outcome.struck) >= STRUCK // SHARE


def test_twentieth_on_postgresql(tmp_path):
    with a_database() as database, a_schema(database) as url:
        run("ours", "rest", tmp_path, workers=1, timing=SHORT, database=url)


@pytest.mark.campaign
@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("server", NAMES)
def test_campaign(server, channel, tmp_path):
    outcome = run(server, channel, tmp_path, struck_turns=STRUCK, seconds=SECONDS)

    assert len(outcome.struck) >= STRUCK
