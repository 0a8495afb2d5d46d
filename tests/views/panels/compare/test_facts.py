from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from debugger.analysis.comparison.comparison import Totals
from debugger.views.panels.compare.facts import Fact, compare_facts, describe_costs

TOTALS = Totals(turns=4, events=40, milliseconds=1200.0, tokens=300)


def seen(other, *, version=0, workflow="w"):
    """A comparison of these totals with `TOTALS`."""
    runs = [
        SimpleNamespace(
            engine="Embedded engine",
            workflow=SimpleNamespace(name="Tea shop"),
            run=SimpleNamespace(
                workflow_run_id=name, workflow_id=of, version_number=number, status="completed"
            ),
        )
        for name, of, number in (("a", "w", 0), ("b", workflow, version))
    ]
    return SimpleNamespace(a=runs[0], b=runs[1], totals=(TOTALS, other))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"events": 41}, "B: 1 event more"),
        ({"events": 38, "milliseconds": 900.0}, "B: 2 events fewer, 300.0 ms shorter"),
        ({"milliseconds": 3200.0, "tokens": 301}, "B: 2.00 s longer, 1 token more"),
        ({"milliseconds": None, "tokens": None}, ""),
    ],
)
def test_costs_of_b_are_told_in_words(change, words):
    assert describe_costs(seen(replace(TOTALS, **change))) == words


def test_facts_say_how_b_differs():
    other = replace(TOTALS, turns=5, milliseconds=None, tokens=200)

    facts = {fact.name: fact for fact in compare_facts(seen(other, version=1, workflow="x"))}

    assert facts["Version"] == Fact("Version", "v0", "v1", "another version")
    assert facts["Workflow"].difference == "another workflow"
    assert facts["Engine"].difference == facts["Status"].difference == ""
    assert facts["Turns"] == Fact("Turns", "4", "5", "1 more in B")
    assert facts["Duration"] == Fact("Duration", "1.20 s", "–", "")
    assert facts["Tokens"] == Fact("Tokens", "300", "200", "100 fewer in B")
