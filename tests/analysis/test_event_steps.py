from __future__ import annotations

import pytest

from debugger.analysis.event_steps import next_event
from tests.analysis.test_filtered_timeline import run

SHOWN = [1, 6, 8]
"""Of the ten events of `run`: turns begin at 0, 3 and 7, node runs at 0, 3, 5 and 7."""


@pytest.mark.parametrize(
    ("kind", "current", "expected"),
    [
        ("event", None, 8),
        ("event", 0, 1),
        ("event", 1, 6),
        ("event", 8, None),
        ("node", None, 7),
        ("node", 0, 3),
        ("node", 3, 5),
        ("node", 7, None),
        ("turn", None, 9),
        ("turn", 0, 2),
        ("turn", 2, 6),
        ("turn", 9, None),
    ],
)
def test_next_event_of_each_kind(kind, current, expected):
    assert next_event(run().timeline.rows, SHOWN, current, kind) == expected


@pytest.mark.parametrize("kind", ["event", "node", "turn"])
def test_next_event_of_no_events(kind):
    assert next_event([], [], None, kind) is None
