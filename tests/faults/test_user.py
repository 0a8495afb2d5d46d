from __future__ import annotations

from random import Random

import pytest

from tests.faults.user import MAX_CHECKS, MAX_SENDS, Said, User


class ScriptedPage:
    """Page whose states follow in order, one per command."""

    def __init__(self, *states):
        self._states = list(states)
        self.commands = []
        self.state = ""

    statement = verdict = ""
    turns = ()

    def _do(self, command):
        self.commands.append(command)
        self.state = self._states.pop(0) if self._states else "done"

    def send(self, text):
        self._do("send")

    def check_now(self):
        self._do("check now")

    def send_again(self):
        self._do("send again")

    def discard(self):
        self._do("discard")

    def load_newer_turns(self):
        self._do("load")

    @property
    def cannot_tell(self):
        return self.state == "cannot tell"

    @property
    def has_newer_turns(self):
        return self.state == "newer"

    @property
    def offered(self):
        return "hello" if self.state in ("offered", "over") else ""

    @property
    def is_over(self):
        return self.state == "over"


def say(page, seed=0):
    said, waits = Said("hello"), []
    User(page, Random(seed), lambda: waits.append(1), lambda line: None, pause=0).say(said)
    return [step for _, step in said.steps], len(waits)


@pytest.mark.parametrize(
    ("states", "steps", "waits"),
    [
        (["done"], ["sent"], 0),
        (["offered", "done"], ["sent", "offered", "sent"], 0),
        (["offered", "offered", "offered", "done"], ["sent", *["offered", "sent"] * 3], 2),
        (["newer", "offered", "done"], ["sent", "newer turns", "offered", "sent"], 0),
        (["cannot tell", "cannot tell", "done"], ["sent", "unknown", "looked", "looked"], 2),
    ],
)
def test_user_sends_until_it_arrives(states, steps, waits):
    assert say(ScriptedPage(*states)) == ([*steps, "done"], waits)


def test_user_decides_unknown_outcome():
    looks = ["sent", "unknown", *["looked"] * MAX_CHECKS]
    ends = set()
    for seed in range(20):
        steps, _ = say(ScriptedPage(*["cannot tell"] * (1 + MAX_CHECKS), "done"), seed)
        assert steps[: len(looks)] == looks
        ends.add(tuple(steps[len(looks) :]))

    assert ends == {("send again", "done"), ("discard",)}


def test_user_gives_up_in_the_end():
    page = ScriptedPage(*["offered"] * MAX_SENDS)

    steps, _ = say(page)

    assert steps[-1] == "abandoned"
    assert page.commands == ["send"] * MAX_SENDS


def test_user_counts_what_is_shown_with_a_verdict():
    page = ScriptedPage("cannot tell", "done")
    page.turns = [(1, ["hello"], [])]

    def check_now():
        page.turns += [(2, ["hello"], []), (3, ["hello"], [])]
        page.verdict = "executed_twice"
        page.state = "done"

    page.check_now = check_now
    said = Said("hello")
    User(page, Random(0), lambda: None, lambda line: None, pause=0).say(said)

    assert (said.verdict, said.shown) == ("executed_twice", 2)


def test_user_sends_nothing_to_finished_run():
    assert say(ScriptedPage("over"))[0] == ["sent", "run over"]
