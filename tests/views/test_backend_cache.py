from __future__ import annotations

import pytest

from debugger.errors import ConnectionFailedError
from debugger.views import backend_cache as module
from debugger.views.backend_cache import BackendCache


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test moves."""
    now = [0.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


def asked(*replies):
    """Something to ask that gives these one after the other; an error is raised."""
    left = list(replies)

    def ask():
        reply = left.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    return ask


def test_question_is_asked_once_in_while(clock):
    answers, ask = BackendCache(), asked("first", "second")

    found = [answers.ask("q", ask), answers.ask("q", ask)]
    clock[0] = module.FRESH_SECONDS
    found.append(answers.ask("q", ask))

    assert found == ["first", "first", "second"]


def test_nothing_is_answer_too(clock):
    answers, ask = BackendCache(), asked(None)

    assert answers.ask("q", ask) is None
    assert answers.ask("q", ask) is None


def test_backend_that_failed_is_left_alone_for_while_and_told_again(clock):
    answers, ask = BackendCache(), asked(ConnectionFailedError("Nothing answers."), "back")

    with pytest.raises(ConnectionFailedError):
        answers.ask("q", ask)
    with pytest.raises(ConnectionFailedError):
        answers.ask("q", ask)
    clock[0] = module.FAULT_SECONDS

    assert answers.ask("q", ask) == "back"


def test_last_good_answer_outlives_failure(clock):
    answers, ask = BackendCache(), asked("good", ConnectionFailedError("Nothing answers."))
    answers.ask("q", ask)
    answers.expire()

    with pytest.raises(ConnectionFailedError):
        answers.ask("q", ask)

    assert answers.last("q") == "good"
    assert answers.last("never asked") is None


def test_what_is_cleared_is_gone(clock):
    answers = BackendCache()
    answers.ask("q", asked("old"))

    answers.clear()

    assert answers.last("q") is None
