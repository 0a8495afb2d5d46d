from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from debugger.replays.groups import ReplayGroup
from debugger.replays.results import Divergence, ReplayResult
from debugger.store import Acceptance, ReplayTarget, StoredReplay
from debugger.views.panels.replays.groups import chosen_group, since, summary_words, what, where

ACCEPTED = Acceptance("Ada", "", 0.0)
WORDS = Divergence(2, "desk", "Desk", "Good day.", "Good evening.")
VARIABLE = Divergence(2, "desk", "Desk", "1", "2", subject="runtime.tries")


def replay(selected: int, file: str = "", **counts: int) -> StoredReplay:
    target = ReplayTarget("w", 7, "", file)
    return StoredReplay("r", target, 0.0, 1.0, "Ada", "", True, False, selected, Counter(counts))


def group(key: str = "a", verdict="words", found=WORDS, reason: str = "", acceptance=None) -> ReplayGroup:
    result = ReplayResult("run", 6, verdict, 2, found, reason)
    return ReplayGroup(key, verdict, 3, result, "", acceptance)


@pytest.mark.parametrize(
    ("stored", "opened", "words"),
    [
        (
            replay(300, same=240, path=60),
            {"same": 240, "path": 40},
            "300 runs on version 7: 240 the same, 40 on another path, 20 accepted",
        ),
        (
            replay(4, needs_model=1, failed=1),
            {"needs_model": 1, "failed": 1},
            "4 runs on version 7: 1 failed, 1 needs a model, 2 without a result",
        ),
        (replay(1, "new.json", same=1), {"same": 1}, "1 run on new.json: 1 the same"),
        (replay(0), {}, "0 runs on version 7"),
    ],
)
def test_results_in_a_sentence(stored, opened, words):
    assert summary_words(stored, Counter(opened)) == words


def test_first_group_that_is_not_accepted_is_shown():
    first, second, third = group("a", acceptance=ACCEPTED), group("b"), group("c")

    assert chosen_group([first, second, third], "") is second
    assert chosen_group([first, second, third], "c") is third
    assert chosen_group([first], "gone") is first
    assert chosen_group([], "") is None


@pytest.mark.parametrize(
    ("shown", "place", "words"),
    [
        (group(), "Desk", "Good evening. instead of Good day."),
        (group(verdict="variables", found=VARIABLE), "Desk", "runtime.tries: 2 instead of 1"),
        (group(verdict="failed", reason="No edge fits."), "Desk", "No edge fits."),
        (group(verdict="not_comparable", found=None, reason="It is a fork."), "the run", "It is a fork."),
    ],
)
def test_group_says_where_and_what(shown, place, words):
    assert (where(shown), what(shown)) == (place, words)


def test_direction_of_a_name_does_not_turn_the_words_beside_it():
    turned = Divergence(2, "desk", "\u202eDesk", "\u202eone", "\u2067two\n\nthree")
    shown = replace(group(found=turned), change="node \u202eDesk changed")

    assert (where(shown), what(shown), since(shown)) == (
        "Desk",
        "two three instead of one",
        "node Desk changed",
    )
