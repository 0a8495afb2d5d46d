"""A user who sends a text again whenever the page offers it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from tests.faults.clock import true_time

MAX_SENDS = 12
MAX_CHECKS = 3


@dataclass
class Said:
    """One text of a user, and what the page said about it."""

    text: str
    strike: str = "nothing"
    """What struck the turn."""
    is_struck: bool = False
    is_ambiguous: bool = False
    """Whether a question is right where records have no ids: see `plan.Strike.is_ambiguous`."""
    copies: int = 0
    """How often the network delivered it more than once."""
    is_copy_unanswered: bool = False
    """Whether it did so and let no answer arrive, once all were executed."""
    verdict: str = ""
    """What the page said first of a turn whose answer was lost and that has arrived."""
    shown: int = 0
    """How many turns with the text the page showed then that it had not shown before."""
    seconds: float = 0.0
    steps: list[tuple[float, str]] = field(default_factory=list)
    """Moments on the true clock, and the steps: ``sent``, ``unknown``, ``looked``, ``offered``,
    ``newer turns``, ``send again``, ``discard``, ``done``, ``run over``, ``abandoned``."""

    def note(self, step):
        """Add a step."""
        self.steps.append((true_time(), step))

    def times(self, step):
        """Return the moments of a step."""
        return [at for at, name in self.steps if name == step]

    @property
    def is_asked(self):
        """Return whether the user had to decide without knowing the outcome."""
        return bool(self.times("send again") or self.times("discard"))


@dataclass
class Conversation:
    """One run as its user knows it."""

    name: str
    clock: int = 0
    """Seconds by which the client's clock is ahead."""
    run_id: str | None = None
    said: list[Said] = field(default_factory=list)
    is_deleted: bool = False
    view: list[tuple] = field(default_factory=list)
    """The turns that the page shows at the end."""
    differing: set[int] = field(default_factory=set)
    """The numbers of the turns of which the page has said that the record differs."""
    trace: list[tuple[float, str]] = field(default_factory=list)
    """What happened, in order."""


class User:
    """Talks with one page.

    Args:
        page: The page.
        rng: Decides what the user decides.
        wait_for_network: Called before a text is sent for the third time and later, and before a look.
        tell: Called with each statement of the page.
        pause: Seconds before a look at a turn of unknown outcome.
    """

    def __init__(self, page, rng, wait_for_network, tell, pause):
        self._page = page
        self._rng = rng
        self._wait_for_network = wait_for_network
        self._tell = tell
        self._pause = pause
        self._known = 0
        """The number of turns that the page showed before the text was sent."""

    def say(self, said):
        """Send a text until it is executed, discarded, or cannot be sent any more."""
        sends = 0
        self._known = len(self._page.turns)
        self._send(said)
        while True:
            if self._page.cannot_tell:
                if not self._decide(said):
                    return
            elif self._page.has_newer_turns:
                self._do(said, "newer turns", self._page.load_newer_turns)
            elif self._page.offered:
                assert self._page.offered == said.text, (self._page.offered, said.text)
                if self._page.is_over:
                    said.note("run over")
                    return
                said.note("offered")
                sends += 1
                if sends == MAX_SENDS:
                    said.note("abandoned")
                    return
                if sends > 1:
                    self._wait_for_network()
                self._send(said)
            else:
                said.note("done")
                return

    def _send(self, said):
        self._do(said, "sent", lambda: self._page.send(said.text))

    def _do(self, said, step, command):
        said.note(step)
        self._tell(f"USER: {step} {said.text!r}")
        command()
        self._tell(f"PAGE: {self._page.statement}")
        if not said.verdict:
            said.verdict = self._page.verdict
            said.shown = sum(said.text in texts for _, texts, _ in self._page.turns[self._known :])

    def _decide(self, said):
        """Look again, and decide; return whether the text is still awaited."""
        said.note("unknown")
        for _ in range(MAX_CHECKS):
            time.sleep(self._pause)
            self._wait_for_network()
            self._do(said, "looked", self._page.check_now)
            if not self._page.cannot_tell:
                return True
        if self._rng.random() < 0.5:
            self._do(said, "send again", self._page.send_again)
            return True
        self._do(said, "discard", self._page.discard)
        return False
