"""What is compared: the inputs and the events of a run, each as it is beneath what is passed over."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

from debugger.analysis.comparison.ignored import event_sieve
from debugger.analysis.comparison.sieve import Branch
from debugger.analysis.facts import node_of
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.protocol.json_text import encode
from debugger.protocol.messages import message_text
from debugger.protocol.runs import TurnInput, TurnLog

INPUT = "run_input"
"""The type of an item that is no event: what a turn was given."""


class Item(NamedTuple):
    """One event, or the input of a turn or of background work."""

    turn: int
    type: str
    node: str | None
    """The node's id; of a hop, that of the node that it leaves."""
    event: Event | None
    """``None`` for an input."""
    event_index: int | None
    """The event's place in the run, from 0."""
    given: TurnInput
    """What the turn was given."""
    sieve: Branch
    digest: bytes
    """Of the essence as JSON: equal digests are equal essences. The text would weigh more than the event."""

    @property
    def wire(self) -> JsonObject:
        """The whole object, as it was recorded."""
        return self.given.to_wire() if self.event is None else self.event.to_wire()

    @property
    def said(self) -> str:
        """What the user said in the turn."""
        return " / ".join(message_text(message) for message in self.given.messages)

    @property
    def summary(self) -> str:
        """It in one line."""
        return self.event.summary if self.event else self.said or f"{self.given.command}, nothing said"

    @property
    def essence(self) -> JsonObject:
        """It without what is passed over. Made anew each time: kept, it would double what a run weighs."""
        return _essence(self.sieve, self.event, self.given)


def items(turns: Sequence[TurnLog], ignoring: Collection[str], *, with_inputs: bool = True) -> list[Item]:
    """Everything of a run, in order."""
    return list(_items(turns, ignoring, with_inputs))


def _items(turns: Sequence[TurnLog], ignoring: Collection[str], with_inputs: bool) -> Iterator[Item]:
    index = 0
    for turn in turns:
        number, given = turn.number, turn.run_input
        sieve = event_sieve(ignoring, given)
        if with_inputs:
            digest = _digest(_essence(sieve, None, given))
            yield Item(number, INPUT, None, None, None, given, sieve, digest)
        for event in turn.events:
            digest = _digest(sieve.sift_object(event.to_wire()))
            yield Item(number, event.type, node_of(event), event, index, given, sieve, digest)
            index += 1


def _digest(essence: JsonObject) -> bytes:
    return blake2b(encode(essence), digest_size=16).digest()


def _essence(sieve: Branch, event: Event | None, given: TurnInput) -> JsonObject:
    if event is not None:
        return sieve.sift_object(event.to_wire())
    # Under the key that an input has inside of an event, where the same paths lead to it.
    found: JsonObject = sieve.sift_object({INPUT: given.to_wire()})[INPUT]
    return found
