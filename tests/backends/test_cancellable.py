from __future__ import annotations

import threading

import pytest

from debugger.backends import cancellable
from debugger.backends.cancellable import call_cancellable


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


def test_thread_is_used_again(monkeypatch):
    monkeypatch.setattr(cancellable, "_idle", type(cancellable._idle)())
    never = threading.Event()

    first = call_cancellable(never, threading.get_ident)
    second = call_cancellable(never, threading.get_ident)

    assert first == second
    assert first != threading.get_ident()


def test_idle_threads_are_bounded(monkeypatch):
    monkeypatch.setattr(cancellable, "_idle", type(cancellable._idle)())
    never, together = threading.Event(), threading.Barrier(20)
    callers = [
        threading.Thread(target=call_cancellable, args=(never, lambda: together.wait(5))) for _ in range(20)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(5)

    assert 0 < len(cancellable._idle) <= cancellable.MAX_IDLE + 2
