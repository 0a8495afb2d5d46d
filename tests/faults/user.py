"""A user who resends a text whenever the page offers it."""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_SENDS = 12
MAX_CHECKS = 3


@dataclass
class Conversation:
    """One run as its user knows it."""

    name: str
    run_id: str | None = None
    done: list[str] = field(default_factory=list)
    """Texts of which the page says that they were executed."""
    sent_again: set[str] = field(default_factory=set)
    """Texts that may run twice, because the user chose so."""
    discarded: set[str] = field(default_factory=set)
    """Texts of which nothing is known, because the user chose so."""
    given_up: list[str] = field(default_factory=list)
    """Texts that were still offered after `MAX_SENDS` sends."""
    is_deleted: bool = False
    view: list[tuple] = field(default_factory=list)
    """The turns that the page shows at the end."""

    @property
    def chosen(self):
        """Texts whose outcome the user has decided without knowing it."""
        return self.sent_again | self.discarded


class User:
    """Talks with one page.

    Args:
        page: The page.
        rng: Decides what the user decides.
        conversation: Where it is noted.
        wait_for_network: Called before a text is sent for the third time and later.
    """

    def __init__(self, page, rng, conversation, wait_for_network):
        self._page = page
        self._rng = rng
        self._conversation = conversation
        self._wait_for_network = wait_for_network

    def say(self, text):
        """Send a text until it is executed; return the steps taken.

        The run may end meanwhile, which is ``run over``.
        """
        happened = set()
        sends = 1
        self._page.send(text)
        while True:
            if self._page.cannot_tell:
                happened.add("cannot tell")
                if not self._decide(text, happened):
                    return happened
            elif self._page.has_newer_turns:
                happened.add("newer turns")
                self._page.load_newer_turns()
            elif self._page.offered:
                assert self._page.offered == text, (self._page.offered, text)
                if self._page.is_over:
                    return happened | {"run over"}
                happened.add("offered again")
                if sends == MAX_SENDS:
                    self._conversation.given_up.append(text)
                    return happened | {"abandoned"}
                if sends > 1:
                    self._wait_for_network()
                sends += 1
                self._page.send(text)
            else:
                self._conversation.done.append(text)
                return happened or {"arrived"}

    def _decide(self, text, happened):
        """Refresh and decide; return whether the text is still awaited."""
        for _ in range(MAX_CHECKS):
            self._page.check_now()
            if not self._page.cannot_tell:
                return True
        if self._rng.random() < 0.5:
            happened.add("sent again")
            self._conversation.sent_again.add(text)
            self._page.send_again()
            return True
        happened.add("discarded")
        self._conversation.discarded.add(text)
        self._page.discard()
        return False
