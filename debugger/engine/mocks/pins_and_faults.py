"""Pins and faults of a session, with their hits."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Literal, Self

from debugger.engine.models.base import Reply
from debugger.errors import InputError, RunError
from debugger.expressions.values import shortened
from debugger.protocol.base import JsonObject

FORMAT = 1
"""Of what `MockSet.to_json` writes."""

_LONGEST_DELAY = 600.0
"""Seconds."""


class InjectedError(RunError):
    """The end of a run by a fault of the debugger's user."""


class MockSet:
    """The pins and faults of a session.

    One thread changes them while another runs a turn.
    """

    def __init__(self) -> None:
        """Begin without pins and faults."""
        self._items: dict[str, Pin | Fault] = {}
        self._tries: dict[str, int] = {}
        self._hits: dict[str, int] = {}
        self._passed: set[str] = set()
        self._number = 0
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._items)

    @property
    def all(self) -> list[Pin | Fault]:
        """Return all, oldest first."""
        return list(self._items.values())

    def hits(self, intervention_id: str) -> int:
        """Return the number of times that one took effect."""
        return self._hits.get(intervention_id, 0)

    @property
    def unused(self) -> list[Pin | Fault]:
        """Return those that are on and were never hit."""
        return [one for one in self.all if one.is_enabled and not self.hits(one.id)]

    @property
    def missed(self) -> list[Pin | Fault]:
        """Return those of them whose node has begun a run since they were set."""
        return [one for one in self.unused if one.id in self._passed]

    def put(self, one: Pin | Fault) -> Pin | Fault:
        """Check one and add it with a new id, or replace the one of its id; return it with its id.

        Raises:
            InputError: It names nothing, or its output, its attempts or its delay cannot be used.
        """
        _check(one)
        with self._lock:
            if not one.id:
                self._number += 1
                one = replace(one, id=f"{'pin' if isinstance(one, Pin) else 'fault'}{self._number}")
            self._items = {**self._items, one.id: one}
            self._passed.discard(one.id)
        return one

    def remove(self, intervention_id: str) -> None:
        """Remove one with its hits and tries, if it is there."""
        with self._lock:
            self._items = {key: one for key, one in self._items.items() if key != intervention_id}
            self._hits.pop(intervention_id, None)
            self._tries.pop(intervention_id, None)

    def match(self, target: Target) -> Matched:
        """Return the last enabled pin and the last due fault of a target, and count them.

        Each fault of the target counts one more try. A hit is counted for those that take effect, whose ids
        are in the result: a pin takes none beside a fault with an error.
        """
        pin: Pin | None = None
        fault: Fault | None = None
        with self._lock:
            for one in self._items.values():
                if target.kind == "node" and target.name == one.target.node_id:
                    self._passed.add(one.id)
                if not one.is_enabled or not _fits(one.target, target):
                    continue
                if isinstance(one, Pin):
                    pin = one
                else:
                    count = self._tries[one.id] = self._tries.get(one.id, 0) + 1
                    fault = one if is_wanted_hit(one.attempts, count) else fault
            # A call that fails gives no output, so its pin was not used.
            used = [one.id for one in (fault, None if fault and fault.error else pin) if one is not None]
            for key in used:
                self._hits[key] = self._hits.get(key, 0) + 1
        return Matched(pin, fault, tuple(used))

    def to_json(self) -> JsonObject:
        """Return format, pins and faults as JSON, oldest first, without their hits."""
        pins = [asdict(one) for one in self.all if isinstance(one, Pin)]
        return {
            "format": FORMAT,
            "pins": pins,
            "faults": [asdict(one) for one in self.all if isinstance(one, Fault)],
        }

    def take(self, data: JsonObject) -> None:
        """Replace all by those of `to_json`, under new ids.

        Raises:
            InputError: They were written in another format, or one cannot be used; the earlier ones are gone
                in the second case.
            KeyError: A row lacks its target, or names an unknown kind; the earlier ones are gone.
            TypeError: A row has fields that none has, or lacks one.
        """
        if data.get("format") != FORMAT:
            raise InputError(f"Pins of format {data.get('format')!r} cannot be read here.")
        with self._lock:
            self._items = {}
        for row in _rows(data.get("pins")):
            self.put(Pin(**{**row, "target": Target(**row["target"]), "id": ""}))
        for row in _rows(data.get("faults")):
            self.put(Fault(**{**row, "target": Target(**row["target"]), "id": ""}))


def _rows(data: object) -> Iterable[JsonObject]:
    return data if isinstance(data, list) else ()


def _fits(wanted: Target, target: Target) -> bool:
    same = wanted.kind == target.kind and wanted.name == target.name
    return same and (not wanted.node or wanted.node == target.node)


def _check(one: Pin | Fault) -> None:
    """Check the target, the output, the attempts and the delay of a pin or a fault.

    Raises:
        InputError: It has no target, a field cannot be used, or a fault has neither an error nor a delay.
    """
    if not one.target.name:
        raise InputError("It names nothing.", advice="Choose a node or a tool.")
    if isinstance(one, Pin):
        check_output(one.target.kind, one.output)
        return
    check_hits(one.attempts)
    if not 0 <= one.delay <= _LONGEST_DELAY:
        raise InputError(
            f"A delay of {one.delay:g} s cannot be waited for.",
            advice=f"Give it between 0 and {_LONGEST_DELAY:g} seconds.",
        )
    if not one.error and not one.delay:
        raise InputError("The fault does nothing.", advice="Give it an error, a delay, or both.")


def check_output(kind: TargetKind, output: JsonObject) -> None:
    """Check the output of a pin of a kind; ``None`` is allowed for each field.

    Raises:
        InputError: A field is unknown or has a value of another type than `Pin` describes.
    """
    fields = _OUTPUT_FIELDS[kind]
    for name, value in output.items():
        if name not in fields:
            raise InputError(
                f"The output of a {kind} has no field {name!r}.", advice=f"It takes {', '.join(fields)}."
            )
        if value is not None and not isinstance(value, fields[name]):
            raise InputError(
                f"{name!r} of the output of a {kind} must be {_TYPE_WORDS[fields[name]]}.",
                advice="Correct the mock.",
            )
    for text in output.get("says") or ():
        if not isinstance(text, str):
            raise InputError("'says' of the output of a node must be texts only.", advice="Correct the mock.")
    for call in output.get("calls") or ():
        args = call.get("args") if isinstance(call, dict) else None
        if not isinstance(call, dict) or not call.get("name") or not isinstance(args, dict | None):
            raise InputError(
                "'calls' of the output of a model must be objects with 'name' and 'args'.",
                advice="Correct the mock.",
            )


_LONGEST = 60
"""Characters of a summary."""

TargetKind = Literal["node", "tool", "model"]


_OUTPUT_FIELDS: dict[TargetKind, dict[str, type]] = {
    "node": {"says": list, "variables": dict, "output": dict, "chosen": str, "args": dict, "reason": str},
    "tool": {"success": bool, "result": object, "error": str},
    "model": {
        "text": str,
        "chosen": str,
        "args": dict,
        "message": str,
        "reason": str,
        "fields": dict,
        "calls": list,
    },
}
_TYPE_WORDS = {list: "a list", dict: "an object", str: "a text", bool: "true or false"}


@dataclass(frozen=True)
class Target:
    """The node run, tool call or model answer to change."""

    kind: TargetKind
    """A whole run of a node, a call of a tool, or an answer of a node's model."""
    name: str
    """The node's logical id, or the tool's name as a model knows it."""
    node: str = ""
    """The node that calls a tool; empty means every node."""

    @property
    def node_id(self) -> str:
        """Return the node; of a tool that every node may call, an empty text."""
        return self.node if self.kind == "tool" else self.name


@dataclass(frozen=True)
class Pin:
    """An output that replaces a real one."""

    target: Target
    output: JsonObject
    """Of a node: ``says`` (texts), ``variables``, ``output`` (its own keys of ``run_output``), ``chosen``
    (the key of the transition that its model chose), ``args``, ``reason``.
    Of a tool: ``success``, ``result``, ``error``.
    Of a model: ``text``, ``chosen``, ``args``, ``message`` (of the transition), ``reason``, ``fields``,
    ``calls`` (``name``, ``args``)."""
    note: str = ""
    is_enabled: bool = True
    id: str = ""
    """Set by `MockSet.put`."""

    @classmethod
    def of_reply(cls, node_id: str, reply: Reply, *, note: str = "") -> Self:
        """Return the pin that repeats a reply of a node's model; it has no id yet.

        Usage, warnings and errors of the reply are not in it.
        """
        output = {
            "text": reply.text,
            "chosen": reply.chosen.edge_id if reply.chosen else None,
            "args": reply.args,
            "message": reply.message,
            "reason": reply.reason,
            "fields": reply.fields,
            "calls": [{"name": call.name, "args": call.args} for call in reply.calls],
        }
        return cls(Target("model", node_id), output, note)

    @property
    def summary(self) -> str:
        """Return the first non-empty part of the output in at most 60 characters.

        Without one it is the transition that is taken, or ``nothing``.
        """
        for key in ("text", "says", "result", "error", "variables", "fields", "output"):
            value = self.output.get(key)
            if value not in (None, "", [], {}):
                text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                return shortened(text, _LONGEST)
        return f"takes {self.output['chosen']}" if self.output.get("chosen") else "nothing"


@dataclass(frozen=True)
class Fault:
    """A failure, a delay, or both."""

    target: Target
    error: str = ""
    """What the failure says; empty only delays."""
    delay: float = 0.0
    """Seconds before it."""
    attempts: str = ""
    """At which of the times, as `debugger.engine.mocks.pins_and_faults` reads it; empty is every time."""
    note: str = ""
    is_enabled: bool = True
    id: str = ""
    """Set by `MockSet.put`."""


@dataclass(frozen=True)
class Matched:
    """The pin and the fault of one target."""

    pin: Pin | None = None
    fault: Fault | None = None
    ids: tuple[str, ...] = ()
    """The ids of both."""


_WRITTEN = re.compile(r"\s*(>=|<=|%|)\s*([1-9]\d{0,8})\s*")


def check_hits(hits: str) -> None:
    """Check the notation of hits.

    Raises:
        InputError: It cannot be read; an empty text can.
    """
    if hits.strip():
        _read(hits)


def is_wanted_hit(hits: str, count: int) -> bool:
    """Return whether a hit of a number, counted from 1, is selected.

    ``5`` means the fifth, ``>=5`` each from the fifth on, ``<=5`` the first five, ``%5`` every fifth, an
    empty text all.

    Raises:
        InputError: The notation cannot be read.
    """
    if not hits.strip():
        return True
    sign, number = _read(hits)
    if sign in (">=", "<="):
        return count >= number if sign == ">=" else count <= number
    return count % number == 0 if sign == "%" else count == number


def _read(hits: str) -> tuple[str, int]:
    """Return sign and number of a notation of hits, the sign empty for a plain number.

    Raises:
        InputError: It is none.
    """
    found = _WRITTEN.fullmatch(hits)
    if found is None:
        raise InputError(
            f"{hits!r} names no hits.",
            advice="Write 5 for the fifth, >=5 from it on, <=5 for the first five, %5 for every fifth.",
        )
    return found[1], int(found[2])
