"""Secrets: filled only into what is really sent, a mark in their place wherever anybody can look."""

from __future__ import annotations

import base64
import json
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, quote_plus

from debugger.expressions import Scope, fill

MARK = "***"
"""What stands in a secret's place."""


@dataclass(frozen=True)
class Veiled:
    """A value as it is sent, and as it is shown."""

    real: Any = field(repr=False)
    """For the wire alone."""
    shown: Any
    """For events, the ledger, errors and logs."""
    unresolved: tuple[str, ...] = ()
    """Placeholders that nothing filled, as they were written."""

    @property
    def holds_secret(self) -> bool:
        """Whether the two differ."""
        return bool(self.real != self.shown)


class Secrets:
    """The secrets of a run, by name.

    A placeholder ``{{NAME}}`` stands for a secret where no dynamic variable has that name. Texts that reach a
    node in another way than through these methods keep the placeholder as it is written.

    Args:
        values: Values by name; blank ones count as not there.

    Source: ``platform/engine.md`` 5.7.
    """

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = {name: value for name, value in (values or {}).items() if value.strip()}
        self._marks = dict.fromkeys(self._values, MARK)
        self._written = _ways_of_writing(self._values.values())
        self._written_bytes = [written.encode("utf-8", "surrogatepass") for written in self._written]

    def __repr__(self) -> str:
        return f"Secrets({sorted(self._values)})"

    def get(self, name: str) -> Veiled | None:
        """A secret by its name."""
        value = self._values.get(name)
        return None if value is None else Veiled(value, MARK)

    def fill(self, text: str, scope: Scope) -> Veiled:
        """A text with variables and secrets filled in."""
        real = fill(text, self._real(scope))
        shown = fill(text, self._shown(scope)) if self._values else real
        return Veiled(real.text, self.mask(shown.text), real.unresolved)

    def fill_value(self, value: Any, scope: Scope) -> Veiled:
        """A JSON value with variables and secrets filled into its texts, however deep they stand."""
        unresolved: list[str] = []
        filled = self.veil(scope, lambda seen: _filled(value, seen, unresolved))
        return replace(filled, unresolved=tuple(dict.fromkeys(unresolved)))

    def veil(self, scope: Scope, make: Callable[[Scope], Any]) -> Veiled:
        """What a function makes of the variables, with secrets among them and with marks in their place."""
        real = make(self._real(scope))
        return Veiled(real, self.mask_value(make(self._shown(scope))) if self._values else real)

    def mask(self, text: str) -> str:
        """A text with a mark for each secret's value, also one written for a URL, in JSON or in base64."""
        for written in self._written:
            text = text.replace(written, MARK)
        return text

    def mask_bytes(self, data: bytes) -> bytes:
        """The same for bytes."""
        for written in self._written_bytes:
            data = data.replace(written, MARK.encode())
        return data

    def mask_value(self, value: Any) -> Any:
        """The same for all texts and numbers of a JSON value, keys too; it is copied."""
        if not self._written:
            return value
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, Mapping):
            return {self.mask(str(key)): self.mask_value(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask_value(inner) for inner in value]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return MARK if is_number and str(value) in self._written else value

    def _real(self, scope: Scope) -> Scope:
        return _with(scope, self._values)

    def _shown(self, scope: Scope) -> Scope:
        return _with(scope, self._marks)


def _with(scope: Scope, secrets: Mapping[str, str]) -> Scope:
    """A scope whose dynamic variables win over secrets of the same name."""
    if not secrets:
        return scope
    return replace(scope, dynamic=ChainMap(dict(scope.dynamic), dict(secrets)))


def _filled(value: Any, scope: Scope, unresolved: list[str]) -> Any:
    if isinstance(value, str):
        filled = fill(value, scope)
        unresolved += filled.unresolved
        return filled.text
    if isinstance(value, Mapping):
        return {key: _filled(inner, scope, unresolved) for key, inner in value.items()}
    return [_filled(inner, scope, unresolved) for inner in value] if isinstance(value, list) else value


def _ways_of_writing(values: Iterable[str]) -> list[str]:
    """What to look for, longest first, so that a secret within another leaves no rest of that one."""
    found = set()
    for value in values:
        in_json = json.dumps(value)[1:-1]
        in_base64 = base64.b64encode(value.encode("utf-8", "surrogatepass")).decode().rstrip("=")
        in_url = (
            quote(value, safe="", errors="replace"),
            quote(value, errors="replace"),
            quote_plus(value, errors="replace"),
        )
        found |= {value, value.strip(), in_json, in_base64, *in_url}
    return sorted(found, key=len, reverse=True)
