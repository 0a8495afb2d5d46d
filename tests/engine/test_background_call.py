from __future__ import annotations

import threading

import pytest

from debugger.engine.background_call import call_cancellable


def test_call_returns_its_outcome_or_raises():
    never = threading.Event()

    assert call_cancellable(never, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        call_cancellable(never, lambda: 1 // 0)


def test_call_that_is_cancelled_before_is_not_made():
    cancelled = threading.Event()
    cancelled.set()

    assert call_cancellable(cancelled, lambda: pytest.fail("made")) is None


def test_cancelled_call_is_left_at_once_and_drops_its_outcome():
    cancelled, entered, left = threading.Event(), threading.Event(), threading.Event()

    def work():
        entered.set()
        cancelled.set()
        return left.wait(5)

    assert call_cancellable(cancelled, work) is None
    assert entered.is_set()
    assert call_cancellable(threading.Event(), lambda: 8) == 8  # on another thread
    left.set()
