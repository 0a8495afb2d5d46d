"""A model of what users may know and do, kept apart from the debugger."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class TextModel:
    """Numbers of times that each text may have been executed, and must have been.

    A text is sent once by whoever says it. It may be executed once more for each choice to send it again
    although it may run twice, for each copy that the network delivers, and for each fork that repeats it;
    never because the page offers it as not executed.
    """

    at_most: Counter[str] = field(default_factory=Counter)
    at_least: Counter[str] = field(default_factory=Counter)
    """Raised when a page says, by asking nothing and offering nothing, that the text was executed."""

    def allow(self, text):
        """Let a text be executed once more."""
        self.at_most[text] += 1

    def require(self, text):
        """Expect that a text was executed once more."""
        self.at_least[text] += 1

    def faults(self, executed):
        """Return what contradicts the model, as sentences.

        Args:
            executed: How often the server has executed each text.
        """
        found = [
            f"{text!r} was executed {times} times, at most {self.at_most[text]} are right"
            for text, times in executed.items()
            if times > self.at_most[text]
        ]
        return found + [
            f"{text!r} was executed {executed[text]} times, pages said so {times} times"
            for text, times in self.at_least.items()
            if times > executed[text]
        ]


@dataclass
class TabModel:
    """The text that one page awaits, and which of its controls may be pressed.

    ``idle``: a text may be sent. ``offered``: the awaited text was not executed, and can be sent again.
    ``asked``: it is not known; nothing may be sent before it was looked up, sent again or discarded.
    """

    texts: TextModel
    awaited: str = ""
    state: str = "idle"

    def say(self, text):
        """Send a text for the first time."""
        assert self.state != "asked"
        self.texts.allow(text)
        self.awaited = text

    def repeat(self):
        """Send the awaited text again although it may run twice."""
        assert self.state == "asked"
        self.texts.allow(self.awaited)

    def drop(self):
        """Discard the awaited text."""
        self.awaited, self.state = "", "idle"

    def read(self, page):
        """Take over what the page says of the awaited text; return what is wrong with it, as sentences."""
        if page.cannot_tell:
            wrong = [] if self.awaited else ["the page asks about a text that nobody has sent"]
            self.state = "asked"
            return wrong
        if page.offered:
            self.state = "offered"
            return [] if page.offered == self.awaited else [f"offers {page.offered!r}, not {self.awaited!r}"]
        if self.awaited:
            self.texts.require(self.awaited)
        self.drop()
        return []


def differing_turns(shown, recorded, said_to_differ):
    """Return the numbers of the turns that a page shows otherwise than the record, and does not say so.

    Args:
        shown: Turns as (number, texts, event ids).
        recorded: The same of the record.
        said_to_differ: The turns of which the page says that their events differ.
    """
    longest = max(len(shown), len(recorded))
    found = []
    for at in range(longest):
        one = shown[at] if at < len(shown) else None
        other = recorded[at] if at < len(recorded) else None
        if one is not None and other is not None and one[0] in said_to_differ:
            one, other = one[:2], other[:2]
        if one != other:
            found.append(at + 1)
    return found
