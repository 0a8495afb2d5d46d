"""Alignment of two runs, turn by turn, then by node and type."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import SequenceMatcher
from hashlib import blake2b
from itertools import groupby
from typing import Literal, NamedTuple, cast

from debugger.analysis.comparison.ignored import FilterNode, event_filter, without_nulls
from debugger.analysis.differences import differences, shared_ends
from debugger.analysis.event_fields import node_of
from debugger.analysis.transitions import TRANSITION_TYPES
from debugger.analysis.trouble import classify_trouble
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.protocol.json_codec import encode
from debugger.protocol.messages import message_text
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import TurnLog

RowStatus = Literal["same", "changed", "only_a", "only_b"]

Key = tuple[str, str]
"""The type and node by which items are matched."""

_WINDOW = 200
"""Longer stretches without a match at their ends are aligned in pieces, for the cost grows with the cube."""


class Row(NamedTuple):
    """Two matching items, or one without a match."""

    status: RowStatus
    turn: int
    """The turn in run A, or the one that it would be there."""
    a: int | None
    """Its place among the items of run A."""
    b: int | None


def align(a: Sequence[Item], b: Sequence[Item], shift: int = 0) -> list[Row]:
    """Return the rows of a comparison, in the order of the turns.

    Items that only A has come before those that only B has.

    Args:
        a: The items of run A.
        b: The items of run B.
        shift: How many turns of A came before the first of B: turn 1 of B belongs to turn 1 + ``shift`` of A.
    """
    turns_a, turns_b = _by_turn(a, 0), _by_turn(b, shift)
    return [
        _row(a, b, turn, at, bt)
        for turn in sorted({*turns_a, *turns_b})
        for at, bt in _matches(a, b, turns_a.get(turn, range(0)), turns_b.get(turn, range(0)))
    ]


def _by_turn(found: Sequence[Item], shift: int) -> dict[int, range]:
    """Return the places of each turn's items, with its background work, by the turn's number plus a shift."""
    places: dict[int, range] = {}
    end = 0
    for turn, group in groupby(found, key=lambda item: item.turn):
        begin, end = end, end + sum(1 for _ in group)
        places[turn + shift] = range(begin, end)
    return places


def _matches(
    a: Sequence[Item], b: Sequence[Item], in_a: range, in_b: range
) -> Iterator[tuple[int | None, int | None]]:
    """Yield the places of one turn that belong together, by type and node.

    ``None`` in the place of a missing one. They are in order, and what only A has comes before what only B
    has.
    """
    keys_a = [(a[place].type, a[place].node or "") for place in in_a]
    keys_b = [(b[place].type, b[place].node or "") for place in in_b]
    first, behind = shared_ends(keys_a, keys_b)
    yield from zip(in_a[:first], in_b[:first], strict=True)
    a_end, b_end = len(in_a) - behind, len(in_b) - behind
    for begin in range(first, max(a_end, b_end), _WINDOW):
        at, bt = min(begin, a_end), min(begin, b_end)
        part_a, part_b = keys_a[at : min(at + _WINDOW, a_end)], keys_b[bt : min(bt + _WINDOW, b_end)]
        for is_equal, i, i_end, j, j_end in _blocks(part_a, part_b):
            own_a, own_b = in_a[at + i : at + i_end], in_b[bt + j : bt + j_end]
            if is_equal:
                yield from zip(own_a, own_b, strict=True)
            else:
                yield from ((place, None) for place in own_a)
                yield from ((None, place) for place in own_b)
    yield from zip(in_a[a_end:], in_b[b_end:], strict=True)


def _blocks(a: list[Key], b: list[Key]) -> Iterator[tuple[bool, int, int, int, int]]:
    """Yield blocks of equal and of unequal keys with their places in A and in B.

    `SequenceMatcher` finds other blocks where its sides are swapped. It always gets the lesser list first, so
    that a comparison is the same in both directions.
    """
    is_swapped = b < a
    first, second = (b, a) if is_swapped else (a, b)
    for op, *places in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        i, i_end, j, j_end = (*places[2:], *places[:2]) if is_swapped else places
        yield op == "equal", i, i_end, j, j_end


def _row(a: Sequence[Item], b: Sequence[Item], turn: int, at: int | None, bt: int | None) -> Row:
    """Return the row of an item of A, one of B, or both; at least one place is given.

    With ``None`` in place of one it is ``only_a`` or ``only_b``; else ``same`` or ``changed`` by what is
    compared.
    """
    if at is None or bt is None:
        return Row("only_b" if at is None else "only_a", turn, at, bt)
    one, other = a[at], b[bt]
    is_same = one.digest == other.digest or not differences(one.comparable, other.comparable)
    return Row("same" if is_same else "changed", turn, at, bt)


INPUT = "run_input"
"""The type of an item that is a turn's input."""


class Item(NamedTuple):
    """An event, or the input of a turn or of background work."""

    turn: int
    type: str
    node: str | None
    """The node's id; for a transition that of its source."""
    event: Event | None
    """``None`` for an input."""
    event_index: int | None
    """The event's place in the run, from 0."""
    run_input: TurnInput
    """The input of the turn."""
    paths: FilterNode
    digest: bytes
    """Digest of the comparable object as JSON, which would be larger than the event.

    With nulls, to save a pass over every event: where digests differ, the objects themselves are compared.
    """

    @property
    def wire(self) -> JsonObject:
        """The whole object as it was recorded."""
        return self.run_input.to_wire() if self.event is None else self.event.to_wire()

    @property
    def said(self) -> str:
        """The user's messages of the turn."""
        return " / ".join(message_text(message) for message in self.run_input.messages)

    @property
    def summary(self) -> str:
        """The item in one line."""
        return self.event.summary if self.event else self.said or f"{self.run_input.command}, nothing said"

    @property
    def comparable(self) -> JsonObject:
        """The object without ignored values.

        Computed each time: stored, it would double the size of a run.
        """
        found = _comparable(self.paths, self.event, self.run_input)
        return cast(JsonObject, without_nulls(found)) if self.paths.drops_nulls else found


def items(turns: Sequence[TurnLog], ignoring: Collection[str], *, with_inputs: bool = True) -> list[Item]:
    """Return the inputs and events of a run, in order; each input comes before the events of its turn.

    Args:
        turns: The run's turns.
        ignoring: Names of `IGNORED`.
        with_inputs: Whether inputs are among them.

    Raises:
        KeyError: There is no such name.
    """
    found: list[Item] = []
    index = 0
    for turn in turns:
        number, run_input = turn.number, turn.run_input
        paths = event_filter(ignoring, run_input)
        if with_inputs:
            digest = _digest(_comparable(paths, None, run_input))
            found.append(Item(number, INPUT, None, None, None, run_input, paths, digest))
        for event in turn.events:
            digest = _digest(paths.filter_object(event.to_wire()))
            found.append(Item(number, event.type, node_of(event), event, index, run_input, paths, digest))
            index += 1
    return found


def _digest(comparable: JsonObject) -> bytes:
    return blake2b(encode(comparable), digest_size=16).digest()


def _comparable(paths: FilterNode, event: Event | None, run_input: TurnInput) -> JsonObject:
    """Return what a filter leaves of an event, or without one of the turn's input.

    Raises `KeyError` where the filter removes the key `run_input`.
    """
    if event is not None:
        return paths.filter_object(event.to_wire())
    # Under the key that an input has inside of an event, where the same paths lead to it.
    found: JsonObject = paths.filter_object({INPUT: run_input.to_wire()})[INPUT]
    return found


Kind = Literal["input", "path", "words", "state", "failure", "other"]

KINDS: tuple[Kind, ...] = ("input", "path", "words", "state", "failure", "other")
"""In the order of display."""

_PATH = TRANSITION_TYPES | {"start_node_run", "workflow_navigation_message"}
_WORDS = frozenset({"user_messages", "assistant_response", "say_static", "say_llm", "worker_llm"})


def kind_of(item: Item) -> Kind:
    """Return the first kind of an item that fits: input, failure, path, words, state, else ``other``."""
    if item.type == INPUT:
        return "input"
    if item.event is not None and classify_trouble(item.event) is not None:
        return "failure"
    if item.type in _PATH:
        return "path"
    if item.type in _WORDS:
        return "words"
    return "state" if item.type == "workflow_show_state" else "other"
