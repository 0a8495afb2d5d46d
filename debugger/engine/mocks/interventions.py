"""The pins and faults of a session, with how often each was hit."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import asdict, replace

from debugger.engine.hit_counts import check_hits, is_wanted_hit
from debugger.engine.mocks.kinds import Fault, Met, Pin, Target
from debugger.errors import InputError
from debugger.protocol.base import JsonObject

FORMAT = 1
"""Of what `Interventions.to_json` writes."""

_LONGEST_DELAY = 600.0
"""Seconds."""


class Interventions:
    """What is intervened in; changed by one thread while another runs a turn."""

    def __init__(self) -> None:
        self._kept: dict[str, Pin | Fault] = {}
        self._tries: dict[str, int] = {}
        self._hits: dict[str, int] = {}
        self._number = 0
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._kept)

    @property
    def all(self) -> list[Pin | Fault]:
        """All of them, oldest first."""
        return list(self._kept.values())

    def hits(self, intervention_id: str) -> int:
        """How often one has had its effect."""
        return self._hits.get(intervention_id, 0)

    @property
    def unused(self) -> list[Pin | Fault]:
        """Those that are on and were never hit."""
        return [one for one in self.all if one.is_enabled and not self.hits(one.id)]

    def put(self, one: Pin | Fault) -> Pin | Fault:
        """Add one, or replace the one with its id; as it is kept.

        Raises:
            InputError: It names nothing, or its attempts or its delay cannot be used.
        """
        _check(one)
        with self._lock:
            if not one.id:
                self._number += 1
                one = replace(one, id=f"{'pin' if isinstance(one, Pin) else 'fault'}{self._number}")
            self._kept = {**self._kept, one.id: one}
        return one

    def remove(self, intervention_id: str) -> None:
        """Take one away, if it is there."""
        with self._lock:
            self._kept = {key: one for key, one in self._kept.items() if key != intervention_id}
            self._hits.pop(intervention_id, None)
            self._tries.pop(intervention_id, None)

    def meet(self, target: Target) -> Met:
        """What meets a run of a node, a call or an answer that is about to be; it is counted.

        Of several pins the last one counts, and so of several faults.
        """
        pin: Pin | None = None
        fault: Fault | None = None
        with self._lock:
            for one in self._kept.values():
                if not one.is_enabled or not _fits(one.target, target):
                    continue
                if isinstance(one, Pin):
                    pin = one
                elif self._is_time(one):
                    fault = one
            # A call that fails gives no output, so its pin was not used.
            used = [one.id for one in (fault, None if fault and fault.error else pin) if one is not None]
            for key in used:
                self._hits[key] = self._hits.get(key, 0) + 1
        return Met(pin, fault, tuple(used))

    def to_json(self) -> JsonObject:
        """All of them as JSON, without their hits."""
        pins = [asdict(one) for one in self.all if isinstance(one, Pin)]
        return {
            "format": FORMAT,
            "pins": pins,
            "faults": [asdict(one) for one in self.all if isinstance(one, Fault)],
        }

    def take(self, data: JsonObject) -> None:
        """Have those that `to_json` wrote instead of those that are here.

        Raises:
            InputError: They were written in a newer format.
        """
        if data.get("format") != FORMAT:
            raise InputError(f"Pins of format {data.get('format')!r} cannot be read here.")
        with self._lock:
            self._kept = {}
        for row in _rows(data.get("pins")):
            self.put(Pin(**{**row, "target": Target(**row["target"]), "id": ""}))
        for row in _rows(data.get("faults")):
            self.put(Fault(**{**row, "target": Target(**row["target"]), "id": ""}))

    def _is_time(self, fault: Fault) -> bool:
        count = self._tries[fault.id] = self._tries.get(fault.id, 0) + 1
        return is_wanted_hit(fault.attempts, count)


def _rows(data: object) -> Iterable[JsonObject]:
    return data if isinstance(data, list) else ()


def _fits(wanted: Target, target: Target) -> bool:
    same = wanted.kind == target.kind and wanted.name == target.name
    return same and (not wanted.node or wanted.node == target.node)


def _check(one: Pin | Fault) -> None:
    if not one.target.name:
        raise InputError("It names nothing.", advice="Choose a node or a tool.")
    if isinstance(one, Pin):
        return
    check_hits(one.attempts)
    if not 0 <= one.delay <= _LONGEST_DELAY:
        raise InputError(
            f"A delay of {one.delay:g} s cannot be waited for.",
            advice=f"Give it between 0 and {_LONGEST_DELAY:g} seconds.",
        )
    if not one.error and not one.delay:
        raise InputError("The fault does nothing.", advice="Give it an error, a delay, or both.")
