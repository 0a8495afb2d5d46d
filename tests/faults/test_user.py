from __future__ import annotations

from random import Random

import pytest

from tests.faults.user import MAX_CHECKS, MAX_SENDS, Conversation, User


class ScriptedPage:
    """Page whose states follow in order, one per command."""

    def __init__(self, *states):
        self._states = list(states)
        self.commands = []
        self.state = ""

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
    talk = Conversation("run 1")
    waits = []
    happened = User(page, Random(seed), talk, lambda: waits.append(1)).say("hello")
    return happened, talk, len(waits)


@pytest.mark.parametrize(
    ("states", "commands", "happened", "waits"),
    [
        (["done"], ["send"], {"arrived"}, 0),
        (["offered", "done"], ["send"] * 2, {"offered again"}, 0),
        (["offered", "offered", "offered", "done"], ["send"] * 4, {"offered again"}, 2),
        (["newer", "offered", "done"], ["send", "load", "send"], {"newer turns", "offered again"}, 0),
        (["cannot tell", "cannot tell", "done"], ["send"] + ["check now"] * 2, {"cannot tell"}, 0),
    ],
)
def test_user_sends_until_it_arrives(states, commands, happened, waits):
    page = ScriptedPage(*states)

    found, talk, waited = say(page)

    assert (found, page.commands, waited) == (happened, commands, waits)
    assert (talk.done, talk.chosen, talk.given_up) == (["hello"], set(), [])


def test_user_decides_unknown_outcome():
    checks = ["send"] + ["check now"] * MAX_CHECKS
    ends = {}
    for seed in range(20):
        page = ScriptedPage(*["cannot tell"] * (1 + MAX_CHECKS), "done")
        _, talk, _ = say(page, seed)
        assert page.commands[:-1] == checks
        ends[page.commands[-1]] = (talk.done, talk.sent_again, talk.discarded)

    assert ends == {"send again": (["hello"], {"hello"}, set()), "discard": ([], set(), {"hello"})}


def test_user_gives_up_in_the_end():
    page = ScriptedPage(*["offered"] * MAX_SENDS)

    happened, talk, _ = say(page)

    assert happened == {"offered again", "abandoned"}
    assert (talk.done, talk.given_up, len(page.commands)) == ([], ["hello"], MAX_SENDS)


def test_user_sends_nothing_to_finished_run():
    page = ScriptedPage("over")

    happened, talk, _ = say(page)

    assert (happened, talk.done, page.commands) == ({"run over"}, [], ["send"])
