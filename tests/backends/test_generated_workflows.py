from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from debugger.protocol.events import Event, parse_event
from debugger.protocol.runs import TurnResult
from tests.backends.one_turn import chance, is_over, known, open_backend, step
from tests.support.generated import SEEDS, generate

ROOT = Path(__file__).parents[2]
SETTLED = (
    "completed",
    "waiting_for_user_input",
    "aborted_looping_risk",
    "running",
    "paused",
    "cancelled",
)
LONGEST = 60
"""Seconds; a turn of these workflows takes a fraction of one."""


def in_time(work: Any) -> Any:
    """Return the result of a call; fail if it does not end in time."""
    given: list[Any] = []
    thread = threading.Thread(target=lambda: given.append(work()), daemon=True)
    thread.start()
    thread.join(LONGEST)
    assert given, "it hangs, or it crashed"
    return given[0]


def without_ids(events: list[Event]) -> list[dict[str, Any]]:
    """Events without what differs from run to run: ids of events and messages, measured times."""
    volatile = {"logical_id", "id", "llm_response_id", "ai_message_turn_id", "workflow_run_id", "timestamp"}
    volatile.add("tool_call_id")

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            kept = {key: inner for key, inner in value.items() if key not in volatile}
            return {key: plain(inner) for key, inner in kept.items() if "milliseconds" not in key}
        return [plain(inner) for inner in value] if isinstance(value, list) else value

    return [plain(event.to_wire()) for event in events]


@pytest.mark.parametrize("seed", SEEDS)
def test_generated_workflow_continues_in_fresh_backend(seed, tmp_path):
    document, sayings = generate(seed)
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir(), other.mkdir()
    kept = open_backend(one, 0, seed)
    kept_id = kept.create_workflow(document).id
    first = open_backend(other, 0, seed)
    fresh_id = first.create_workflow(document).id
    first.close()
    kept_run = fresh_run = None

    for turn, text in enumerate([None, *sayings[:3]]):
        fresh = open_backend(other, turn, seed)
        kept._world.random.seed(chance(seed, turn))
        kept._world.now.__self__.seconds = fresh._world.now.__self__.seconds
        expected = in_time(lambda run=kept_run, said=text: step(kept, kept_id, run, said))
        given = in_time(lambda run=fresh_run, said=text, b=fresh: step(b, fresh_id, run, said))
        fresh.close()
        check(given, expected)
        kept_run, fresh_run = expected[0].run_id, given[0].run_id
        if is_over(given[0]):
            break

    kept.close()


def check(given: tuple[TurnResult, list[Event]], expected: tuple[TurnResult, list[Event]]) -> None:
    assert given[0].error is None
    assert given[0].status in SETTLED
    assert given[0].status == expected[0].status
    assert known(given[1])
    assert all(is_valid(event) for event in given[1])
    assert without_ids(given[1]) == without_ids(expected[1])


def is_valid(event: Event) -> bool:
    """Return whether an event equals the one read from its wire object."""
    wire = event.to_wire()
    return json.dumps(dict(type(event).from_wire(wire).fields)) == json.dumps(wire)


def test_twenty_runs_continue_in_new_processes(tmp_path):
    seeds = range(20)
    documents, sayings = zip(*(generate(seed) for seed in seeds), strict=True)
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir(), there.mkdir()
    backend = open_backend(here, 0, 0)
    ids = [backend.create_workflow(document).id for document in documents]
    backend.close()
    backend = open_backend(there, 0, 0)
    jobs = [
        {"seed": seed, "workflow_id": backend.create_workflow(document).id, "run_id": None, "text": None}
        for seed, document in zip(seeds, documents, strict=True)
    ]
    backend.close()
    runs: list[str | None] = [None] * len(jobs)

    for turn in range(4):
        told = take_in_new_process(there, turn, jobs)
        for index, job in enumerate(jobs):
            local = open_backend(here, turn, job["seed"])
            result, events = step(local, ids[index], runs[index], job["text"])
            local.close()
            assert told[index]["status"] == result.status
            theirs = [parse_event(event) for event in told[index]["events"]]
            assert without_ids(theirs) == without_ids(events)
            runs[index] = None if is_over(result) else result.run_id
        alive = [index for index, run in enumerate(runs) if run is not None]
        jobs = [
            {
                **jobs[index],
                "run_id": told[index]["run_id"],
                "text": sayings[jobs[index]["seed"]][turn],
            }
            for index in alive
        ]
        ids, runs = [ids[index] for index in alive], [runs[index] for index in alive]

    assert jobs, "no run lasted for all the turns"


def take_in_new_process(folder: Path, turn: int, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    (folder / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tests.backends.one_turn", str(folder), str(turn)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told
