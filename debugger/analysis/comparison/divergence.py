"""The lengths of two runs and their divergence, in one sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import takewhile

from debugger.analysis.comparison.alignment import INPUT, Item, kind_of
from debugger.analysis.comparison.comparison import Comparison
from debugger.analysis.differences import differences
from debugger.analysis.event_fields import node_name_of, text, values_of
from debugger.analysis.node_origins import label_of
from debugger.analysis.timeline import shorten
from debugger.analysis.transitions import LEAVING_TYPES
from debugger.protocol.messages import message_text

_LONGEST = 70
_ENDS = ("end_thread", "end_workflow", "workflow_error")
_SPOKEN = ("assistant_response", "say_static", "say_llm")


def describe_divergence(found: Comparison, names: Mapping[str, str]) -> str:
    """Describe in one sentence how many turns two runs have, and where they diverge.

    Its end is about the first difference of these kinds in that turn: the user's message, the transition, the
    workflow's message, else any event.
    """
    sizes = [_count(len(turns), "turn") for turns in found.turns]
    if not any(found.turns):
        return "Neither run has a turn."
    return f"A {sizes[0]}, B {sizes[1]}; {_divergence(found, names)}."


def _divergence(found: Comparison, names: Mapping[str, str]) -> str:
    """Return where and how two runs diverge, if at all, as the end of a sentence."""
    first = found.first
    if first is None:
        return _nothing(found)
    turn, begin = found.rows[first].turn, found.first_shared_turn
    if begin is None:
        return "no turn is in both"
    of_a, of_b = found.turns
    if turn >= min(of_a.stop, of_b.stop):
        ended, other = ("A", "B") if of_a.stop < of_b.stop else ("B", "A")
        same = f"turn {begin} is" if turn == begin + 1 else f"turns {begin} to {turn - 1} are"
        return f"{same} the same, then {ended} ends and {other} continues"
    parts = _Turn(found, first, names)
    difference = parts.input() or parts.transition() or parts.words() or parts.event()
    return f"first difference in turn {turn}{parts.after()}: {difference}"


def _nothing(found: Comparison) -> str:
    begin = found.first_shared_turn or 0
    events = sum(item.type != INPUT and item.turn >= begin for item in found.a)
    return f"nothing differs in {_count(events, 'event')}, apart from what is ignored"


class _Turn:
    def __init__(self, found: Comparison, first: int, names: Mapping[str, str]) -> None:
        """Collect both runs' items in the differing rows of one turn, from the first difference on."""
        self._found = found
        self._first = first
        self._names = names
        turn = found.rows[first].turn
        rows = (found.rows[place] for place in found.differing if place >= first)
        pairs = [found.pair(row) for row in takewhile(lambda row: row.turn == turn, rows)]
        self._a = [one for one, _ in pairs if one]
        self._b = [other for _, other in pairs if other]

    def after(self) -> str:
        before = self._found.rows[self._first - 1 :: -1] if self._first else []
        shared = (self._found.get_item(row) for row in before if row.status == "same")
        node = next((label for item in shared if (label := self._label(item))), "")
        return f" after “{node}”" if node else ""

    def input(self) -> str:
        """Return how the inputs differ: in what the user says, else in which paths.

        It is empty where one lacks it.
        """
        one, other = (_first(items, (INPUT,)) for items in (self._a, self._b))
        if one is None or other is None:
            return ""
        if one.said != other.said:
            return f"the user says {_quoted(one.said)} in A, {_quoted(other.said)} in B"
        changes = differences(one.comparable, other.comparable)
        return "the input differs in " + _listed(each.path for each in changes)

    def transition(self) -> str:
        """Return where each run goes at the difference; empty where neither leaves a node, or both alike."""
        one, other = (_first(items, LEAVING_TYPES) for items in (self._a, self._b))
        if one is None and other is None:
            return ""
        if one and other and _way(one) == _way(other):
            return ""
        return f"A {self._took(one, self._a)}, B {self._took(other, self._b)}"

    def words(self) -> str:
        """Return what each run says, of the first kind of message that differs; empty where none does."""
        for kind in _SPOKEN:
            texts = [_words(items, kind) for items in (self._a, self._b)]
            if texts[0] != texts[1] and any(texts):
                one, other = ("says " + _quoted(each) if each else "says nothing" for each in texts)
                return f"A {one}, B {other}"
        return ""

    def event(self) -> str:
        """Return how the first differing event differs, or in which run alone it comes."""
        row = self._found.rows[self._first]
        one, other = self._found.pair(row)
        if one and other:
            paths = _listed(each.path for each in self._found.differences(row))
            return f"{_event_name(one)} differs in {paths}"
        return f"{_event_name(self._found.get_item(row))} comes in {'A' if one else 'B'} only"

    def _took(self, item: Item | None, differing: list[Item]) -> str:
        """Return in words where a run goes at the difference: along an edge, to a node, or nowhere."""
        if item is None or item.event is None:
            return "ends" if _first(differing, _ENDS) else "stays"
        edge = text(item.event, "edge_name")
        target = text(item.event, "destination_node_logical_id")
        if target is None:
            return "ends"
        name = text(item.event, "destination_node_name") or target
        to = f"“{label_of(target, self._names.get(target) or name, self._names)}”"
        return f"takes “{edge}” to {to}" if edge else f"continues to {to}"

    def _label(self, item: Item) -> str:
        if item.event is None or item.node is None:
            return ""
        name = node_name_of(item.event) or self._names.get(item.node) or item.node
        return label_of(item.node, name, self._names)


def _event_name(item: Item) -> str:
    return "the state" if kind_of(item) == "state" else item.type.replace("_", " ")


def _way(item: Item) -> tuple[str | None, str | None]:
    assert item.event is not None
    return item.node, text(item.event, "destination_node_logical_id")


def _first(found: list[Item], types: Collection[str]) -> Item | None:
    return next((item for item in found if item.type in types), None)


def _words(items: list[Item], kind: str) -> str:
    """Return the texts of the events of one type, joined; empty for none."""
    texts = []
    for item in items:
        if item.event and item.type == kind:
            values = values_of(item.event)
            texts.append(message_text(values.message.wire or {"content": values.content}))
    return " / ".join(texts)


def _quoted(said: str) -> str:
    flat = " ".join(said.split())
    return f"“{shorten(flat, _LONGEST)}”" if flat else "nothing"


def _listed(paths: Iterator[str]) -> str:
    found = list(paths)
    more = f" and {len(found) - 2} more" if len(found) > 2 else ""
    return ", ".join(found[:2]) + more


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
