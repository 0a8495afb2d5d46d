"""Example workflows have the same events embedded and over requests to our own server.

Seen once: events that differed. Sessions are driven as a page drives them. Clock and chance are set on both
sides: where both are the same, nothing may differ. Where the clocks go apart, as they do when one side is
slower, only workflows that look at the time may differ. ``CAMPAIGN_SEED`` repeats the tries.
"""

from __future__ import annotations

import os
import re
from contextlib import ExitStack, closing
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
import yaml

from debugger.backends.hosted import HostedBackend
from debugger.protocol.runs import CLIENT_TURN_ID, TurnInput
from debugger.samples import SAMPLES, sample_scenarios
from debugger.session.session import DebugSession
from debugger.settings import HostedSettings
from tests.backends.one_turn import BEGINNING, PUMPS, TICK, open_backend
from tests.conformance.clocked_server import KEY, World, clocked_server
from tests.conformance.sameness import without_ids_and_times
from tests.support.generated import COMMANDS, generate

SEED = os.environ.get("CAMPAIGN_SEED", "2026")
TRIES = 200
SHARE = 20
PATIENCE = 60
SLOWER = 4.0
"""Seconds by which one side may be later in a turn or a step, where the clocks go apart."""
_MOMENTS = re.compile(r".*\.(at|deadline_epoch)")
"""Moments and what follows from them, under keys that are no times elsewhere."""
_TIMED = {"time_between_retries", "min_seconds_between_evaluations", "delay_seconds", "expiry_time"}
"""Settings by which a workflow looks at the time that has passed."""


@dataclass
class Side:
    """One backend, with the clock and the chance of its engine."""

    backend: Any
    world: Any


class LateWorld:
    """The world of a side that is slower.

    Args:
        world: Its world.
        rng: Draws how much later each turn and each step is.
    """

    def __init__(self, world, rng):
        self._world = world
        self._rng = rng

    def set(self, seconds, seed):
        self._world.set(seconds + self._rng.uniform(0, SLOWER), seed)

    def move(self, seconds):
        self._world.move(seconds + self._rng.uniform(0, SLOWER))


class Steps:
    """A session of one side, driven as a page drives it.

    Args:
        side: The side.
        document: The workflow.
        seed: Of the chance of the try.
    """

    def __init__(self, side, document, seed):
        self._world = side.world
        self._seed = seed
        self._turn = 0
        made = side.backend.create_workflow(document)
        self.session = DebugSession(side.backend, made.id)

    def say(self, text):
        """Say something, or give a command; then let the background work go on."""
        session, self._turn = self.session, self._turn + 1
        self._world.set(BEGINNING + 1000.0 * self._turn, 100 * self._seed + self._turn)
        if text in COMMANDS:
            session.send_command(text[1:])
        else:
            session.send(text, TurnInput.with_message(None, command="data" if session.turns else "start"))
        self._settle()
        for _ in range(PUMPS):
            if session.is_over or not session.background.has_work or session.error:
                return
            self._world.move(TICK)
            session.advance()
            self._settle()

    def _settle(self):
        assert self.session.wait_until_idle(PATIENCE), self.session.status

    def view(self):
        """Return what the page shows, without ids and times."""
        session = self.session
        turns = [
            [log.number, log.is_background, [event.to_wire() for event in log.events]]
            for log in session.turns
        ]
        shown = {
            "turns": turns,
            "status": session.status,
            "hint": session.hint,
            "error": type(session.error).__name__,
            "result": session.result.to_wire() if session.result else None,
        }
        return without_ids_and_times(without_names(shown))


def scripted_talks():
    """Return the samples with what the users of their scenarios say."""
    documents = {
        sample.load_documents()[-1]["workflow_config"]["logical_id"]: sample.load_documents()[-1]
        for sample in SAMPLES
    }
    found = []
    for text in sample_scenarios().values():
        scenario = yaml.safe_load(text)
        said = [turn["say"] for turn in scenario["turns"] if "say" in turn]
        found.append((documents[scenario["workflow"]], said))
    return found


def example(number):
    """Return a workflow and what its user says: one of the samples, else a generated one."""
    rng = Random(f"{SEED} events {number}")
    if rng.random() < 0.25:
        return rng.choice(scripted_talks())
    document, sayings = generate(rng.randrange(1_000_000))
    return document, sayings


def without_names(value):
    """Return JSON without the client turn ids, which turns of the hosted backend have."""
    if isinstance(value, dict):
        return {key: without_names(inner) for key, inner in value.items() if key != CLIENT_TURN_ID}
    return [without_names(inner) for inner in value] if isinstance(value, list) else value


def differences(one, other, path=""):
    """Yield the places at which two JSON values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            yield from differences(one.get(key), other.get(key), f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, f"{path}[{place}]")
    elif one != other or type(one) is not type(other):
        yield f"{path}: {str(one)[:300]} / {str(other)[:300]}"


def is_timed(value):
    """Return whether a workflow looks at the time that has passed between its steps."""
    if isinstance(value, dict):
        return any((key in _TIMED and inner) or is_timed(inner) for key, inner in value.items())
    return isinstance(value, list) and any(map(is_timed, value))


def talk(side, document, sayings, number):
    """Return what the page shows in the end, and the record, without ids and times."""
    steps = Steps(side, {**document, "name": f"Example {number}"}, number)
    for text in sayings:
        if not steps.session.is_over:
            steps.say(text)
    run_id = steps.session.run_id
    record = without_names(side.backend.run(run_id).to_wire()) if run_id else None
    return [steps.view(), without_ids_and_times(record)]


def compare(tries, folder, *, is_apart=False):
    """Return the tries that differ: whether the workflow is timed, its id, and the first places."""
    local_folder, remote_folder = folder / "local", folder / "remote"
    local_folder.mkdir(), remote_folder.mkdir()
    with ExitStack() as stack:
        local = stack.enter_context(closing(open_backend(local_folder, 0, 1)))
        url, world = stack.enter_context(clocked_server(remote_folder, 1))
        settings = HostedSettings(base_url=url, api_key=KEY, timeout=60, live_events="off")
        remote = stack.enter_context(closing(HostedBackend(settings)))
        if is_apart:
            world = LateWorld(world, Random(f"{SEED} late"))
        sides = [Side(local, World(local._world)), Side(remote, world)]
        found = {}
        for number in range(tries):
            document, sayings = example(number)
            places = differences(*(talk(side, document, sayings, number) for side in sides))
            different = [place for place in places if not _MOMENTS.fullmatch(place.partition(":")[0])]
            if different:
                found[number] = [
                    is_timed(document),
                    document["workflow_config"]["logical_id"],
                    *different[:4],
                ]
    print(f"\nseed {SEED}: {tries} tries, {len(found)} differ")
    for number, places in found.items():
        print(number, *places, sep="\n    ")
    return found


NUMBERS = pytest.mark.parametrize(
    "tries", [TRIES // SHARE, pytest.param(TRIES, marks=pytest.mark.campaign)], ids=["few", "all"]
)


@NUMBERS
def test_examples_have_same_events_on_both_backends(tries, tmp_path):
    assert compare(tries, tmp_path) == {}


@NUMBERS
def test_slower_backend_changes_timed_examples_only(tries, tmp_path):
    found = compare(tries, tmp_path, is_apart=True)

    assert {number: places for number, (timed, *places) in found.items() if not timed} == {}
    assert found or tries < TRIES
