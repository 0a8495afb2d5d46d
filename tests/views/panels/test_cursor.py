from __future__ import annotations

import pytest

from debugger.views.panels.cursor import PAST, next_place
from debugger.views.run_state import CurrentRun, Cursor
from tests.support.factories import direct, document, say, static
from tests.support.timelines import build_timeline
from tests.views.bars import badges, captions, control, keys, use
from tests.views.message import box as message_box
from tests.views.message import send
from tests.views.row_lists import choose, drawn
from tests.views.talk import box, said, tell

SHOWN = [2, 5, 6, 9]


@pytest.mark.parametrize(
    ("event", "by", "place"),
    [(None, -1, 9), (9, -1, 6), (7, -1, 6), (2, -1, 2), (1, -1, 1), (None, 1, None), (0, 1, 2), (6, 1, 9)],
)
def test_next_place_follows_shown_events(event, by, place):
    assert next_place(SHOWN, event, by) == place


def test_next_place_after_last_shown_event_is_live():
    assert next_place(SHOWN, 9, 1) is None
    assert next_place([], 3, 1) is None
    assert next_place([], 3, -1) == 3


@pytest.fixture
def two_turns(app, backend, press, settle):
    """A run of two turns on view."""
    backend.create_workflow(document(static("a", "Hello"), say("chat"), direct("a", "chat")))
    app.run()
    press("start")
    send(app, "green tea")
    settle()
    assert not app.exception
    return app


def at(app, record, event):
    record(Cursor).event = event
    app.run()
    assert not app.exception


def test_live_run_has_no_banner(two_turns):
    assert "back_to_live" not in keys(two_turns)
    assert not control(two_turns, "stop").disabled


def test_past_disables_controls_that_change_run(two_turns, record):
    at(two_turns, record, 4)

    assert "Viewing turn 1, event 4" in captions(two_turns)
    assert all(control(two_turns, key).disabled for key in ("step_event", "resume", "stop"))
    assert not {"live_edit", "pause_run"} & keys(two_turns)
    assert not control(two_turns, "restart").disabled
    assert control(two_turns, "fork_turn").label == "Fork from here"
    assert control(two_turns, "fork_turn").help.startswith("Fork from turn 1:")
    assert message_box(two_turns)["disabled"]
    assert message_box(two_turns)["placeholder"] == PAST


def test_past_shows_status_of_then(two_turns, record, settle):
    use(two_turns, "stop")
    settle()
    live = badges(two_turns)
    first_turn = len(record(CurrentRun).session.turns[0].events)

    at(two_turns, record, 2)
    within = badges(two_turns)
    at(two_turns, record, first_turn - 1)

    assert "Cancelled" in live
    assert "Running" in within and "Cancelled" not in within
    assert "Your turn" in badges(two_turns) and "Cancelled" not in badges(two_turns)


def test_back_to_live_gives_controls_back(two_turns, record):
    at(two_turns, record, 4)

    use(two_turns, "back_to_live")

    assert record(Cursor).event is None
    assert "step_event" in keys(two_turns)
    assert not message_box(two_turns)["disabled"]


def test_message_moves_cursor_and_later_ones_are_dimmed(two_turns, record):
    spoken = next(item["event"] for item in said(two_turns) if item["kind"] == "agent")

    tell(two_turns, "chosen", spoken)

    assert record(Cursor).event == spoken
    assert box(two_turns)["cursor"] == {"here": 0, "later": list(range(1, len(said(two_turns))))}


def test_next_turn_in_last_turn_is_live(two_turns, record):
    at(two_turns, record, record(CurrentRun).session.event_count - 3)

    use(two_turns, "next_turn")

    assert record(Cursor).event is None
    assert control(two_turns, "next_turn").disabled


def test_banner_counts_events_that_came_since(two_turns, record, settle):
    use(two_turns, "previous_turn")
    before = record(CurrentRun).session.event_count
    assert "new event" not in captions(two_turns)

    record(CurrentRun).session.send("black tea")
    settle()
    two_turns.run()

    added = record(CurrentRun).session.event_count - before
    assert added > 1
    assert f"{added} new events" in captions(two_turns)


def test_scrubber_plays_shown_events_to_the_end(two_turns, record):
    shown = [
        row.index for row in build_timeline(record(CurrentRun).session.turns) if row.importance == "high"
    ]
    executed = record(CurrentRun).session.event_count
    seen = []

    for _ in range(len(shown) + 1):
        control(two_turns, "scrubber").use("play")
        seen.append(record(Cursor).event)

    assert seen == [*shown, None]
    assert record(CurrentRun).session.event_count == executed, "a play executes nothing"


def test_address_names_place_of_play_once_it_is_paused(two_turns, record):
    for _ in range(3):
        control(two_turns, "scrubber").use("play")
    assert "event" not in two_turns.query_params

    control(two_turns, "scrubber").use("pause")

    assert two_turns.query_params["event"] == str(record(Cursor).event)


def test_scrubber_snaps_to_shown_event_in_its_direction(two_turns, record):
    shown = [
        row.index for row in build_timeline(record(CurrentRun).session.turns) if row.importance == "high"
    ]
    hidden = next(index for index in range(shown[0] + 1, shown[-1]) if index not in shown)
    at(two_turns, record, shown[-1])

    control(two_turns, "scrubber").use(hidden)
    before = max(index for index in shown if index < hidden)
    assert record(Cursor).event == before
    control(two_turns, "scrubber").use(hidden)

    assert record(Cursor).event == min(index for index in shown if index > hidden)


def test_end_of_scrubber_is_live(two_turns, record):
    at(two_turns, record, 4)

    control(two_turns, "scrubber").use(record(CurrentRun).session.event_count - 1)

    assert record(Cursor).event is None


def test_address_leads_to_event_again(two_turns, record):
    at(two_turns, record, 4)
    assert two_turns.query_params["event"] == "4"
    session = record(CurrentRun).session

    two_turns.query_params["event"] = "6"
    two_turns.run()

    assert (record(Cursor).event, record(CurrentRun).session) == (6, session)
    two_turns.query_params["event"] = "9999"
    two_turns.query_params["turn"] = "1"
    two_turns.run()
    assert record(Cursor).event == len(session.turns[0].events) - 1


def test_gantt_bar_moves_cursor(two_turns, record):
    record(Cursor).event = 0
    use(two_turns, "lower_view", "Gantt")
    targets = [row["target"] for row in drawn(two_turns, "Gantt")["rows"]]
    target = next(target for target in targets if target)

    choose(two_turns, target, "Gantt")

    assert not two_turns.exception
    assert [record(Cursor).event] == target
    assert f"Viewing turn 1, event {target[0]}" in captions(two_turns)
