from __future__ import annotations

import copy
import random

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.environment import Environment
from debugger.errors import DebuggerError, RunEndedError
from debugger.protocol.runs import Run, TurnInput
from debugger.replays.replayer import Replayer
from debugger.replays.results import REPLAY_VERDICTS
from debugger.settings import Settings
from tests.support.generated import generate
from tests.support.no_sockets import no_sockets
from tests.support.replays import Clock

ODD = (None, 3, -1.5, True, "odd", [], [1, "a"], {}, {"a": 1}, [{"name": 1}])

OF_ALL = {
    "type",
    "logical_id",
    "timestamp",
    "origin_thread_id",
    "thread_reference_id",
    "comments",
    "interrupted",
}
"""Fields of all events, of which the record is not read with odd values."""


class Records:
    """A backend whose runs have odd events."""

    def __init__(self, backend, record):
        self.workflow = backend.workflow
        self.record = record

    def run(self, run_id):
        return Run.model_validate(self.record)

    def seed(self, run_id):
        return None


def spoil(value, chance, depth=0):
    """Change some places of an event to odd values, or leave them out."""
    if isinstance(value, dict):
        for key in list(value):
            if depth == 0 and key in OF_ALL:
                continue
            if chance.random() < 0.04:
                value[key] = copy.deepcopy(chance.choice(ODD))
            elif chance.random() < 0.02:
                del value[key]
            else:
                spoil(value[key], chance, depth + 1)
    elif isinstance(value, list):
        for each in value:
            spoil(each, chance, depth + 1)


@pytest.mark.parametrize(
    "seeds", [range(20), pytest.param(range(20, 420), marks=pytest.mark.campaign)], ids=["20", "400"]
)
def test_odd_events_give_a_result_or_an_error_in_words(seeds):
    verdicts = set()
    for seed in seeds:
        made, texts = generate(seed % 60)
        clock = Clock()
        world = Environment(now=clock.now, sleep=clock.sleep)
        backend = EmbeddedBackend(Settings(database="sqlite://"), world=world)
        workflow_id = backend.create_workflow(made).id
        result = backend.execute(workflow_id, TurnInput.with_message(None)).finish()
        for text in texts:
            given = TurnInput.with_message(text, command="data")
            try:
                result = backend.execute(workflow_id, given, run_id=result.run_id).finish()
            except (RunEndedError, DebuggerError):
                break
        record = backend.run(result.run_id).to_wire()
        chance = random.Random(seed)
        for pair in record["input_output_pairs"]:
            for event in pair["run_output"]["events"]:
                spoil(event, chance)
        try:
            with no_sockets():
                found = Replayer(Records(backend, record), workflow_id, 0).replay(result.run_id)
        except DebuggerError:
            continue
        assert found.verdict in REPLAY_VERDICTS
        assert found.to_json()["run_id"] == result.run_id
        verdicts.add(found.verdict)

    assert "not_comparable" in verdicts
