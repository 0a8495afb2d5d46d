"""The page's offers to the user of a session."""

from __future__ import annotations

import re
import time

from debugger.errors import RunEndedError
from debugger.protocol.runs import TurnInput
from tests.faults.servers import marked

PATIENCE = 60.0
"""Seconds in which whatever is sent must have come to some end."""


class Page:
    """One session and the commands of the page.

    Args:
        session: The session.
    """

    def __init__(self, session):
        self.session = session
        self.differing = set()
        """The numbers of the turns of which it has said that the record differs."""

    @property
    def run_id(self):
        return self.session.run_id

    @property
    def is_over(self):
        """Return whether the run takes no further message."""
        return self.session.is_over or isinstance(self.session.error, RunEndedError)

    @property
    def offered(self):
        """Return the message that the page offers again, or nothing."""
        return self.session.unsent_message

    @property
    def cannot_tell(self):
        """Return whether the outcome of the message is unknown."""
        return self.session.pending is not None or self.session.unstored_turn is not None

    @property
    def has_newer_turns(self):
        """Return whether the page reports turns of another client."""
        return self.session.sync.newer_turns > 0

    @property
    def verdict(self):
        """Return what the page says of a message whose answer was lost and that has arrived, or nothing."""
        arrival = self.session.arrival
        if arrival is None:
            return ""
        assert arrival.sentence in self.session.notice, (arrival, self.session.notice)
        return arrival.outcome

    @property
    def turns(self):
        """Return displayed turns: number, user messages, event ids."""
        return [
            (log.number, [log.message] if log.message else [], [event.logical_id for event in log.events])
            for log in self.session.turns
        ]

    @property
    def statement(self):
        """Return what the page says: its state, its error and its notice, on one line."""
        session = self.session
        state = "cannot tell" if self.cannot_tell else f"offers {self.offered!r}" if self.offered else "done"
        shown = [(number, texts, len(ids)) for number, texts, ids in self.turns[-2:]]
        parts = [f"{state}, run {str(self.run_id)[-4:]} {session.status}, last turns {shown}"]
        if session.error is not None:
            parts.append(f"{type(session.error).__name__}: {session.error.message}")
        return "; ".join([*parts, *filter(None, [session.notice])])

    def send(self, text):
        """Send a message; wait until the session is idle.

        The workflow's tool reports the text, too.
        """
        self.session.send(text, TurnInput(dynamic_variables={"word": marked(text)}))
        self.wait()

    def wait(self):
        """Wait until nothing is executed or looked for."""
        deadline = time.monotonic() + PATIENCE
        while not self.session.wait_until_idle(1):
            assert time.monotonic() < deadline, f"stuck: {self.session.status}"
        self._read_notice()

    def look(self):
        """Wait until the page has looked at the record by itself."""
        self.check_now()

    def check_now(self):
        """Press "Check now"."""
        self.session.check_now()
        assert self.session.wait_for_record(PATIENCE)
        self._read_notice()

    def send_again(self):
        """Press "Send again (may run twice)"."""
        if self.session.unstored_turn is not None:
            self.session.send_unstored_again()
        else:
            self.session.send_again()
        self.wait()

    def discard(self):
        """Press "Discard"."""
        if self.session.unstored_turn is not None:
            self.session.discard_unstored()
        else:
            self.session.discard_pending()
        self.wait()

    def load_newer_turns(self):
        """Press the button that loads the turns of another client."""
        self.session.load_newer()
        assert self.session.wait_for_record(PATIENCE)
        self._read_notice()

    def _read_notice(self):
        found = re.findall(r"The record differs: .*? that turn (\d+) was", self.session.notice)
        self.differing |= {int(number) for number in found}
