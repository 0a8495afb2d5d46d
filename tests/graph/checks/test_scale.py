"""Checks of large workflows within a time limit."""

from __future__ import annotations

import time

from debugger.graph import Graph, check
from debugger.graph.checks import format_problem
from debugger.graph.offline_limits import offline_limits
from tests.support.factories import direct, node, say, when, workflow

NODES = 1_000
EDGES = 10_000
SECONDS = 20.0
"""Some ten times what it takes; a rule that is quadratic takes ten times as long again."""


def test_thousands_of_companions_that_lead_to_the_same_nodes_are_checked_in_one_walk():
    flag = {"companion_thread_config": {"is_companion_thread": True}}
    parts = [node(f"n{index}", "no_op") for index in range(NODES)]
    for index in range(EDGES):
        ends = f"n{index % NODES}", f"n{(index % NODES + 1 + index // NODES) % NODES}"
        parts.append({**direct(*ends, **(flag if index >= NODES else {})), "logical_id": f"e{index}"})
    flow = workflow(*parts)
    began = time.process_time()

    problems = check(flow)

    assert time.process_time() - began < SECONDS
    assert sum(problem.code == "companion-forks" for problem in problems) == EDGES - NODES
    assert max(len(problem.message) for problem in problems) < 2_000


def test_thousands_of_names_that_nobody_writes_are_told_one_by_one():
    parts = [say(f"n{index}", f"About {{{{topic_{index}}}}}") for index in range(NODES)]
    for index in range(EDGES):
        ends = f"n{index % NODES}", f"n{index * 7 % NODES}"
        parts.append({**when(*ends, f"[[name_{index}]] == 1"), "logical_id": f"e{index}"})
    flow = workflow(*parts)
    graph = Graph(flow)
    began = time.process_time()

    lines = [format_problem(problem, graph) for problem in check(flow)]

    assert time.process_time() - began < SECONDS
    assert sum("is written by no node" in line for line in lines) == EDGES


def test_a_node_with_thousands_of_ways_on_is_told_of_in_a_bounded_message():
    parts = [say(f"n{index}") for index in range(NODES)]
    parts += [
        {**when("n0", f"n{index % NODES}", "1 == 1"), "logical_id": f"e{index}"} for index in range(EDGES)
    ]

    problems = check(workflow(*parts, direct("n0", "n1")))

    told = next(problem for problem in problems if problem.code == "direct-beside-conditional")
    assert f"and {EDGES - 12} more" in told.message


def test_mark_of_a_saved_prompt_without_an_end_costs_no_more_than_its_length():
    flow = workflow(say("a", "<<<managed_prompt:" + " " * 60_000))
    began = time.process_time()

    assert offline_limits(flow) == []
    assert time.process_time() - began < 2
