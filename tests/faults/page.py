"""What the page offers its user of a session, in the words of the page."""

from __future__ import annotations

import time

from debugger.errors import RunEndedError
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession

PATIENCE = 60.0
"""Seconds in which whatever is sent must have come to some end."""


class Page:
    """One session and the commands of the page.

    Args:
        backend: Where the run goes.
        workflow_id: The workflow.
    """

    def __init__(self, backend, workflow_id):
        self.session = DebugSession(backend, workflow_id)

    @property
    def run_id(self):
        return self.session.run_id

    @property
    def is_over(self):
        """Whether the run takes no further message."""
        return self.session.is_over or isinstance(self.session.error, RunEndedError)

    @property
    def offered(self):
        """The message that the page offers to send again; empty where it offers none."""
        return self.session.unsent_message

    @property
    def cannot_tell(self):
        """Whether it is not known what became of the message."""
        return self.session.pending is not None

    @property
    def has_newer_turns(self):
        """Whether the page says that another client has continued the run."""
        return self.session.newer_turns > 0

    @property
    def turns(self):
        """The turns as they are shown: number, messages of the user, ids of the events."""
        return [
            (log.number, [log.message] if log.message else [], [event.logical_id for event in log.events])
            for log in self.session.turns
        ]

    def send(self, text):
        """Send a message and wait until the session is idle; the workflow's tool reports the text, too."""
        self.session.send(text, TurnInput(dynamic_variables={"word": text}))
        self.wait()

    def wait(self):
        """Wait until nothing is executed or looked for."""
        deadline = time.monotonic() + PATIENCE
        while not self.session.wait_until_idle(1):
            assert time.monotonic() < deadline, f"stuck: {self.session.status}"

    def look(self):
        """Wait until the page has looked at the record by itself."""
        self.check_now()

    def check_now(self):
        """Press "Check now"."""
        self.session.check_now()
        assert self.session.wait_for_record(PATIENCE)

    def send_again(self):
        """Press "Send again (may run twice)"."""
        self.session.send_again()
        self.wait()

    def discard(self):
        """Press "Discard"."""
        self.session.discard_pending()
        self.wait()

    def load_newer_turns(self):
        """Press the button that loads the turns of another client."""
        self.session.load_newer()
        assert self.session.wait_for_record(PATIENCE)
