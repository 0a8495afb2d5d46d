from __future__ import annotations

import pytest

from debugger.errors import ConnectionFailedError
from debugger.protocol.runs import TurnResult
from debugger.session.background import MAX_QUIET_STEPS, STEP_EVERY, BackgroundScheduler
from tests.support.clock import Clock


def ended(*, work=True, next_due=None, over=False):
    return TurnResult(
        run_id="r",
        status="completed" if over else "running",
        turn_number=1,
        is_waiting_for_input=False,
        is_completed=over,
        has_background_work=work,
        next_due=next_due,
    )


def test_step_is_due_one_second_after_last():
    clock = Clock()
    pace = BackgroundScheduler(clock)
    pace.on_turn(ended())
    before = pace.is_due

    clock.seconds += STEP_EVERY

    assert (before, pace.is_due) == (False, True)


def test_step_known_to_be_due_later_waits():
    clock = Clock()
    pace = BackgroundScheduler(clock)
    pace.on_turn(ended(next_due=clock.seconds + 90))

    clock.seconds += 89

    assert not pace.is_due
    assert pace.seconds_left == 1
    clock.seconds += 1
    assert pace.is_due


@pytest.mark.parametrize("result", [ended(work=False), ended(over=True)])
def test_nothing_is_due_without_work(result):
    clock = Clock()
    pace = BackgroundScheduler(clock)
    pace.on_turn(result)

    clock.seconds += 1000

    assert not pace.continues
    assert not pace.is_due


def test_many_quiet_steps_halt_work_until_resumed():
    pace = BackgroundScheduler(Clock())
    pace.on_turn(ended())
    for _ in range(MAX_QUIET_STEPS - 1):
        pace.on_step(ended(), is_quiet=True)
    before = pace.continues

    pace.on_step(ended(), is_quiet=True)

    assert (before, pace.continues) == (True, False)
    assert pace.halted == "Nothing has happened in 60 steps."
    pace.resume()
    assert pace.is_due


def test_only_quiet_steps_in_a_row_count():
    pace = BackgroundScheduler(Clock())
    pace.on_turn(ended())
    for _ in range(3):
        for _ in range(MAX_QUIET_STEPS - 1):
            pace.on_step(ended(), is_quiet=True)
        pace.on_step(ended(), is_quiet=False)

    assert pace.continues


def test_turn_of_user_resumes_halted_work():
    pace = BackgroundScheduler(Clock())
    pace.on_turn(ended())
    pace.halt("Something broke.")

    pace.on_turn(ended())

    assert pace.continues


def test_switched_off_work_is_never_due():
    clock = Clock()
    pace = BackgroundScheduler(clock)
    pace.on_turn(ended())
    pace.automatic = False

    clock.seconds += 1000

    assert not pace.is_due


@pytest.mark.parametrize("fails", [False, True])
def test_clock_set_back_delays_no_step(fails):
    clock = Clock()
    pace = BackgroundScheduler(clock)
    pace.on_turn(ended())
    if fails:
        pace.on_failure(ConnectionFailedError("No answer."))

    clock.seconds -= 3600

    assert pace.seconds_left <= STEP_EVERY
    clock.seconds += STEP_EVERY
    assert pace.is_due
