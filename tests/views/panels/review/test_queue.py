from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from debugger.backends.base import Page
from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import StoreError
from debugger.protocol.runs import Run, RunSearch, TurnInput
from debugger.protocol.scenario_runs import ScenarioMark
from debugger.session.session import DebugSession
from debugger.settings import Settings
from debugger.views.panels.review import queue
from debugger.views.panels.review.queue import (
    ReviewAddress,
    ReviewFilter,
    ReviewQueue,
    read_queue,
    target_order,
)
from debugger.views.panels.runs.scope import WantedRuns
from tests.support.factories import document, say

A, B, C = (f"{number:024x}" for number in (1, 2, 3))
QUEUE = ReviewQueue((A, B, C), 3)


def test_address_is_read_as_it_is_written():
    wanted = ReviewFilter(
        workflow=A,
        version=0,
        status="failed",
        tag="late, very",
        since=date(2026, 11, 1),
        until=date(2026, 11, 30),
        text="zebra & co",
        starred=True,
        verdict="open",
        scenario="name: Tea & co",
        scenario_outcome="failed",
        is_open_only=True,
        with_scenarios=True,
        runs=(B, C),
    )
    address = ReviewAddress("hosted", "staging", A, wanted)

    assert ReviewAddress.from_parameters(address.to_parameters()) == address
    assert ReviewAddress().to_parameters() == {}


def test_invalid_parts_of_address_count_as_absent():
    parameters = {
        "run": "nonsense",
        "workflow": "../x",
        "version": "-1",
        "status": "nonsense",
        "verdict": "nonsense",
        "outcome": "nonsense",
        "since": "yesterday",
        "until": "2026-13-01",
        "open": "yes",
        "runs": f"{A},x,{A},{B}",
    }

    assert ReviewAddress.from_parameters(parameters) == ReviewAddress(wanted=ReviewFilter(runs=(A, B)))


def test_filter_of_list_finds_the_same_days():
    search = RunSearch(
        2,
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 11, 4, tzinfo=UTC),
        "tea",
        "late",
        True,
        verdict="fail",
        scenario="Tea",
        scenario_outcome="error",
    )

    found = ReviewFilter.of_list(WantedRuns(A, "failed", search))

    assert (found.workflow, found.status) == (A, "failed")
    assert (found.since, found.until) == (date(2026, 11, 1), date(2026, 11, 3))
    assert found.search == search


@pytest.mark.parametrize(
    ("after", "open_runs", "expected"),
    [
        (A, {B, C}, B),
        (A, {C}, C),
        (C, {A}, A),
        (B, {A}, A),
        (B, {B}, B),
        (B, set(), B),
        ("elsewhere", {B, C}, B),
        ("elsewhere", set(), "elsewhere"),
    ],
)
def test_next_open_run_begins_anew_after_the_last(after, open_runs, expected):
    assert QUEUE.next_open(after, open_runs) == expected


def test_neighbour_stops_at_both_ends():
    assert [QUEUE.neighbour(run_id, -1) for run_id in (A, B, "elsewhere")] == [A, A, A]
    assert [QUEUE.neighbour(run_id, 1) for run_id in (B, C)] == [C, C]
    assert ReviewQueue().neighbour("elsewhere", 1) == "elsewhere"


def test_queue_without_decided_runs_counts_the_rest():
    assert ReviewQueue((A, B, C), 10).without({B}) == ReviewQueue((A, C), 9)


def test_queue_is_read_page_by_page(monkeypatch):
    monkeypatch.setattr(queue, "_PAGE_SIZE", 2)
    with closing(EmbeddedBackend(Settings(database="sqlite://", responder="rules"))) as backend:
        workflow = backend.create_workflow(document(say("a")))
        for _ in range(5):
            session = DebugSession(backend, workflow.id)
            session.start(TurnInput.with_message("Hello"))
            assert session.wait(10)
        expected = [run.workflow_run_id for run in backend.runs().rows]

        found = read_queue(backend, ReviewFilter(workflow=workflow.id))
        monkeypatch.setattr(queue, "MAX_RUNS", 3)
        first = read_queue(backend, ReviewFilter())
        chosen = read_queue(backend, ReviewFilter(runs=(expected[4], expected[0])))
        none = read_queue(backend, ReviewFilter(text="zebra"))

    assert found == ReviewQueue(tuple(expected), 5)
    assert first == ReviewQueue(tuple(expected[:3]), 5)
    assert chosen == ReviewQueue((expected[4], expected[0]), 2)
    assert none == ReviewQueue((), 0)


def test_queue_leaves_out_runs_of_scenarios():
    with closing(EmbeddedBackend(Settings(database="sqlite://", responder="rules"))) as backend:
        workflow = backend.create_workflow(document(say("a")))
        ids = [backend.execute(workflow.id, TurnInput.with_message("Hi")).finish().run_id for _ in range(2)]
        backend.store.scenario_runs.save(ids[0], ScenarioMark("Tea", "tea.scenario.yaml", "passed"))

        found = [
            read_queue(backend, wanted).runs
            for wanted in (ReviewFilter(), ReviewFilter(with_scenarios=True), ReviewFilter(runs=(ids[0],)))
        ]

    assert found == [(ids[1],), (ids[1], ids[0]), (ids[0],)]


def test_scenario_includes_its_runs():
    with closing(EmbeddedBackend(Settings(database="sqlite://", responder="rules"))) as backend:
        workflow = backend.create_workflow(document(say("a")))
        ids = [backend.execute(workflow.id, TurnInput.with_message("Hi")).finish().run_id for _ in range(4)]
        for run_id, name, outcome in zip(
            ids, ("Tea", "Tea", "City"), ("passed", "failed", "failed"), strict=False
        ):
            backend.store.scenario_runs.save(run_id, ScenarioMark(name, "a.yaml", outcome))

        found = [
            read_queue(backend, ReviewFilter.from_parameters(parameters)).runs
            for parameters in (
                {"scenario": "Tea"},
                {"outcome": "failed"},
                {"scenario": "Tea", "outcome": "failed"},
                {"scenario": "Lab"},
            )
        ]

    assert found == [(ids[1], ids[0]), (ids[2], ids[1]), (ids[1],), ()]


def test_queue_waits_for_a_search_that_still_indexes():
    row = Run(workflow_run_id=A, workflow_id=B, status="completed")
    answers = iter([Page([], 0, unread=400), Page([row], 1, unread=10), Page([row], 1)])
    backend = SimpleNamespace(runs=lambda **_: next(answers))

    assert read_queue(backend, replace(ReviewFilter(), text="tea")) == ReviewQueue((A,), 1)


def test_queue_of_unfinished_search_is_an_error():
    backend = SimpleNamespace(runs=lambda **_: Page([], 0, unread=400))

    with pytest.raises(StoreError, match=r"400 runs are not indexed yet\. Reload the page"):
        read_queue(backend, replace(ReviewFilter(), text="tea"))


def test_targets_are_in_reading_order():
    assert target_order([(1, [1]), (2, [2, 3]), (3, [])]) == [
        ("run", ""),
        ("turn", "1"),
        ("message", "1"),
        ("turn", "2"),
        ("message", "2"),
        ("message", "3"),
        ("turn", "3"),
    ]
