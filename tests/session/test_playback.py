from __future__ import annotations

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.graph.graph import Graph
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.session.playback import SPEEDS, Player, Recording, seconds_of
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.clock import Clock
from tests.support.factories import direct, document, say, static, when, workflow


@pytest.fixture
def recorded(tmp_path):
    """Runs a workflow with some messages; gives the recording."""
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))

    def run(parts, *messages):
        kept = backend.create_workflow(document(*parts))
        session = DebugSession(backend, kept.id, 0)
        for message in messages:
            session.send(message)
            assert session.wait(10)
            assert session.error is None
        return Recording(session.turns, Graph(session.workflow), session.status)

    yield run
    backend.close()


HELLO = (static("a", "Hello"), say("chat"), direct("a", "chat"))
DOOR = (static("a", "Hello"), static("b", "Bye"), when("a", "b", "isAbsent([[x]])", name="nothing known"))


def told(recording):
    return [(step.kind, step.title) for step in recording.steps]


def test_unstarted_run_has_start_and_end(recorded):
    recording = recorded(HELLO)

    assert [step.kind for step in recording.steps] == ["start", "end"]
    assert recording.bubbles_at(recording.last) == []


def test_messages_and_moves_are_steps_in_order(recorded):
    recording = recorded(DOOR, "hi")

    assert told(recording)[:4] == [
        ("start", "Before the first word"),
        ("said", "The user says"),
        ("said", "The agent says"),
        ("moved", "A → B"),
    ]
    assert recording.steps[3].reason == "Nothing known."
    assert told(recording)[-1] == ("end", "The end")


def test_message_appears_with_its_step_and_stays(recorded):
    recording = recorded(HELLO, "hi", "how are you?")

    shown = [len(recording.bubbles_at(number)) for number in range(recording.last + 1)]

    assert shown[0] == 0
    assert shown == sorted(shown)
    assert shown[-1] == len(recording.bubbles)
    for number, step in enumerate(recording.steps):
        if step.kind == "said":
            speaker = "The user says" if recording.bubbles_at(number)[-1].role == "user" else "The agent says"
            assert step.title == speaker


def test_after_move_graph_is_at_new_node(recorded):
    recording = recorded(DOOR, "hi")

    number = [step.kind for step in recording.steps].index("moved")

    assert recording.position_at(number - 1).current == "a"
    assert recording.position_at(number).current == "b"
    assert "b" not in recording.position_at(number - 1).visits


def test_end_of_turn_shows_nothing_of_next(recorded):
    recording = recorded(HELLO, "hi", "how are you?")

    before = recording.turn_starts[2] - 1

    assert recording.position_at(before).state == "waiting"
    assert all(bubble.turn_number == 1 for bubble in recording.bubbles_at(before))


def test_last_step_shows_run_as_it_is(recorded):
    recording = recorded(DOOR, "hi")

    assert recording.position_at(recording.last).state == "ended"
    assert recording.steps[-1].reason == "The run is complete and takes no more messages."


def test_next_and_previous_turns_start_at_first_step(recorded):
    recording = recorded(HELLO, "one", "two", "three")
    starts = recording.turn_starts

    assert list(starts) == [1, 2, 3]
    assert recording.turn_after(0, 1) == starts[1]
    assert recording.turn_after(starts[2], 1) == starts[3]
    assert recording.turn_after(starts[2] + 1, -1) == starts[2]
    assert recording.turn_after(starts[2], -1) == starts[1]
    assert recording.turn_after(recording.last, 1) == recording.last
    assert recording.turn_after(starts[1], -1) == 0


def test_failure_is_a_step_and_warning_none(recorded):
    recording = recorded((static("a", "Hello"), say("b"), when("a", "b", "[[x]] ==")), "hi")

    assert "failed" in [step.kind for step in recording.steps]
    assert {bubble.role for bubble in recording.bubbles} <= {"user", "agent", "error"}


def test_continued_run_leaves_recording_unchanged(recorded):
    recording = recorded(HELLO, "hi")
    turns = recording._turns
    steps = list(recording.steps)

    Recording(turns, recording.graph, "waiting_for_user_input")._turns[0].events.clear()

    assert recording.steps == steps
    assert turns[0].events


@pytest.fixture
def clock():
    return Clock(100.0)


@pytest.fixture
def player(clock):
    """Five steps: the start, three messages of turns of their own, the end."""
    turns = [TurnLog(number, TurnInput.with_message("hello there")) for number in (1, 2, 3)]
    return Player("run", Recording(turns, Graph(workflow(say("a"))), "completed"), now=clock)


def test_it_stands_still_until_it_is_played(player, clock):
    clock.seconds += 1000

    player.look()

    assert player.number == 0
    assert not player.is_playing


def test_player_plays_steps_and_stops_at_end(player, clock):
    player.play_or_pause()

    seen = []
    while player.is_playing:
        clock.seconds += 10
        player.look()
        seen.append(player.number)

    assert seen == [1, 2, 3, 4]
    assert player.is_at_end


@pytest.mark.parametrize("speed", SPEEDS)
def test_step_lasts_as_the_speed_says(player, clock, speed):
    player.go_to(1)
    player.speed = speed
    player.play_or_pause()
    stays = seconds_of(player.step) / speed

    clock.seconds += stays - 0.01
    player.look()
    before = player.number
    clock.seconds += 0.02
    player.look()

    assert (before, player.number) == (1, 2)


def test_long_message_lasts_longer_within_bound(player):
    short = player.recording.steps[1]

    assert seconds_of(short) < seconds_of(Player("r", player.recording).recording.steps[-1]) < 7.1


def test_late_poll_advances_one_step_only(player, clock):
    player.play_or_pause()
    clock.seconds += 3600

    player.look()

    assert player.number == 1


def test_manual_step_pauses_and_stays_in_range(player):
    player.play_or_pause()

    player.step_by(-1)
    assert (player.number, player.is_playing) == (0, False)
    player.step_by(99)
    assert player.number == 4


def test_turns_are_selected_while_playing(player):
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
    clock.seconds += 100

    player.look()

    assert (player.number, player.is_playing) == (0, False)
