"""Runs generated from a seed: random walks through a small workflow, stored without an engine."""

from __future__ import annotations

import random
from typing import Any

from debugger.protocol.json_codec import encode
from debugger.store import Store, new_id
from tests.support.factories import Json, document, node, when
from tests.support.short_turns import at, hears, speaks, transition
from tests.support.turns import WholeTurn, append_turn

EDGES = (
    ("desk", "book"),
    ("desk", "price"),
    ("book", "date"),
    ("date", "book"),
    ("date", "confirm"),
    ("price", "desk"),
    ("price", "bye"),
    ("confirm", "bye"),
)
DAY = 86_400
FIRST_DAY = 1_782_864_000.0
"""2026-07-01, in seconds since 1970."""


def walked_workflow() -> Json:
    """Return the document of the workflow through which the runs walk."""
    names = dict.fromkeys(end for edge in EDGES for end in edge)
    return document(*(node(name, "say_llm") for name in names), *(when(*edge) for edge in EDGES))


def store_walks(store: Store, workflow_id: str, count: int, seed: int = 1, name: str = "Walks") -> list[str]:
    """Store so many random walks through the workflow; return their ids."""
    chance = random.Random(seed)
    return [_store_walk(store, workflow_id, name, chance, number) for number in range(count)]


def _store_walk(store: Store, workflow_id: str, name: str, chance: random.Random, number: int) -> str:
    run_id, place, began = new_id(), "desk", FIRST_DAY + number % 7 * DAY + number
    turns = chance.randint(1, 5)
    for turn in range(1, turns + 1):
        now = began + turn * 10
        events, place, status = _turn_events(chance, place, now, is_first=turn == 1, is_last=turn == turns)
        append_turn(
            store,
            WholeTurn(
                run_id=run_id,
                turn_number=turn,
                status=status,
                checkpoint=b"{}",
                started_at=now,
                finished_at=now + 1,
                events_json=encode(events),
                workflow_id=workflow_id,
                version_number=number % 2,
                workflow_name=name,
                run_by=("ada", "bob")[number % 2],
                termination_source="execution_error" if status == "failed" else None,
            ),
        )
        if status in ("completed", "failed"):
            break
    return run_id


def _turn_events(
    chance: random.Random, place: str, now: float, *, is_first: bool, is_last: bool
) -> tuple[list[Json], str, Any]:
    said = chance.choice(("book a visit", "what does it cost", "my cat is ill", "tomorrow"))
    events = [hears(place, said)]
    if is_first:
        events.append(at(place))
    for _ in range(chance.randint(0, 2)):
        ways = [edge for edge in EDGES if edge[0] == place]
        if not ways:
            break
        edge = chance.choice(ways)
        events += [transition(*edge), at(edge[1])]
        place = edge[1]
    usage = {"llm_response_id": new_id(), "prompt_tokens": chance.randint(5, 90), "completion_tokens": 7}
    events.append(at(place, "say_llm", llm_usage_info=usage))
    events.append(speaks(place, f"You are at {place}."))
    for index, event in enumerate(events):
        event["timestamp"] = now + index / 10
    if place == "bye":
        return events, place, "completed"
    if is_last and chance.random() < 0.1:
        failed = {"type": "workflow_error", "error_message": "No model", "timestamp": now + 5}
        return [*events, failed], place, "failed"
    return events, place, "waiting_for_user_input"
