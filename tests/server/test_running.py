from __future__ import annotations

from debugger.server.metrics import Metrics
from debugger.server.running import RunningTurns


def test_a_turn_is_known_for_as_long_as_it_lasts():
    running = RunningTurns(Metrics("1.0"))

    with running.turn("run") as turn:
        turn.over.set()
        running.stop("run")

    assert turn.cancelled.is_set()
    assert running.stop("run") is None


def test_a_second_turn_of_a_run_does_not_hide_the_first():
    running = RunningTurns(Metrics("1.0"))

    with running.turn("run") as first:
        with running.turn("run") as second:
            pass
        first.over.set()
        running.stop("run")

    assert first.cancelled.is_set()
    assert not second.cancelled.is_set()


def test_a_turn_is_found_once_it_is_said_whose_it_is():
    running = RunningTurns(Metrics("1.0"))

    with running.turn(None) as turn:
        running.name(turn, "run")
        turn.over.set()
        running.stop("run")

    assert turn.cancelled.is_set()
    assert not running.has("run")


def test_a_turn_of_a_new_run_cannot_be_named():
    running = RunningTurns(Metrics("1.0"))

    with running.turn(None) as turn:
        assert running.stop("run") is None

    assert not turn.cancelled.is_set()
    assert turn.over.is_set()
