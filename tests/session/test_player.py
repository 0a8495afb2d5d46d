from __future__ import annotations

import pytest

from debugger.graph.graph import Graph
from debugger.protocol.runs import TurnInput, TurnLog
from debugger.session.playback import Recording
from debugger.session.player import SPEEDS, Player, seconds_of
from tests.factories import say, workflow


class Clock:
    def __init__(self):
        self.time = 100.0

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def player(clock):
    """Five steps: the start, three messages of turns of their own, the end."""
    turns = [TurnLog(number, TurnInput.saying("hello there")) for number in (1, 2, 3)]
    return Player("run", Recording(turns, Graph(workflow(say("a"))), "completed"), now=clock)


def test_it_stands_still_until_it_is_played(player, clock):
    clock.time += 1000

    player.look()

    assert player.number == 0
    assert not player.is_playing


def test_it_plays_step_by_step_and_stands_still_at_the_end(player, clock):
    player.play_or_pause()

    seen = []
    while player.is_playing:
        clock.time += 10
        player.look()
        seen.append(player.number)

    assert seen == [1, 2, 3, 4]
    assert player.is_at_end


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_step_stays_as_long_as_the_speed_says(player, clock, speed):
    player.go_to(1)
    player.speed = speed
    player.play_or_pause()
    stays = seconds_of(player.step) / speed

    clock.time += stays - 0.01
    player.look()
    before = player.number
    clock.time += 0.02
    player.look()

    assert (before, player.number) == (1, 2)


def test_a_long_message_stays_longer_but_not_for_ever(player):
    short = player.recording.steps[1]

    assert seconds_of(short) < seconds_of(Player("r", player.recording).recording.steps[-1]) < 7.1


def test_a_look_after_a_long_time_goes_on_by_one_step_only(player, clock):
    player.play_or_pause()
    clock.time += 3600

    player.look()

    assert player.number == 1


def test_a_step_by_hand_pauses_and_never_leaves_the_run(player):
    player.play_or_pause()

    player.step_by(-1)
    assert (player.number, player.is_playing) == (0, False)
    player.step_by(99)
    assert player.number == 4


def test_turns_are_jumped_to_while_it_plays_on(player):
    player.play_or_pause()

    player.go_to_turn(3)
    assert (player.number, player.is_playing) == (3, True)
    player.turn_by(-1)
    assert player.number == 2
    player.go_to_turn(77)
    assert player.number == 2


def test_played_from_the_end_it_begins_again(player):
    player.go_to(4)

    player.play_or_pause()

    assert (player.number, player.is_playing) == (0, True)


def test_a_pause_keeps_the_step(player, clock):
    player.play_or_pause()
    player.play_or_pause()
    clock.time += 100

    player.look()

    assert (player.number, player.is_playing) == (0, False)
