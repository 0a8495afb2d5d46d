"""Redaction and masking of JSON values in one go."""

from __future__ import annotations

from typing import Any

from debugger.engine.outbound.masking import mask_url
from debugger.exports.masking_rules import UNMASKED_FIELDS, Masker
from debugger.exports.redaction import is_plain_name, redact

_NUMBERS = frozenset({int, float})
_NEVER_MASKED = frozenset({bool, type(None)})
_SMALL = 10**12
"""A number below it is no card number."""
_MAX_NAMES = 20_000


class Scrubber:
    """Removes secrets and masked data from JSON values.

    What it returns equals ``masker.mask_value(redact(value))``. Most fields hold values that were seen
    before, and are passed on without a copy.

    Args:
        masker: The rules, and the texts that are known to be clean.
    """

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._names: set[str] = set()
        """Names of fields that mean nothing to secrets and rules."""

    def scrub(self, value: Any) -> Any:
        """Return a value without secrets and masked data, copied if changed."""
        if self._masker.options.is_off:
            return redact(value)
        kind = value.__class__
        if kind is dict:
            return self._dict(value)
        if kind is list:
            return self._list(value)
        return self._text(value) if kind is str else self._masker.mask_value(redact(value))

    def _dict(self, value: dict[str, Any]) -> dict[str, Any]:
        names, clean, has_values = self._names, self._masker.clean, self._masker.has_values
        harmless = _NEVER_MASKED if has_values else _NEVER_MASKED | {float}
        changed: dict[str, Any] = {}
        for key, inner in value.items():
            kind = inner.__class__
            if key not in names:
                if key in UNMASKED_FIELDS and (kind in _NUMBERS or (kind is str and "://" not in inner)):
                    continue
                new = self._field(key, inner)
            elif kind is str:
                if inner in clean:
                    continue
                new = self._text(inner)
            elif not inner and not has_values:
                continue
            elif kind is dict:
                new = self._dict(inner)
            elif kind is list:
                new = self._list(inner)
            elif kind in harmless or (kind is int and not has_values and -_SMALL < inner < _SMALL):
                continue
            else:
                new = self._masker.mask_value(redact(inner))
            if new is not inner:
                changed[key] = new
        if not changed:
            return value
        return {key: inner for key, inner in (value | changed).items() if inner is not _DROPPED}

    def _list(self, value: list[Any]) -> list[Any]:
        items = [self.scrub(inner) for inner in value]
        is_same = all(new is old for new, old in zip(items, value, strict=True))
        return value if is_same else items

    def _text(self, value: str) -> str:
        return self._masker.mask(mask_url(value) if "://" in value else value)

    def _field(self, key: str, value: Any) -> Any:
        """Return the value of a field of an unknown or telling name."""
        if key not in UNMASKED_FIELDS and is_plain_name(key) and not self._masker.is_masked_name(key):
            if len(self._names) < _MAX_NAMES:
                self._names.add(key)
            return self.scrub(value)
        kept = redact({key: value})
        return self._masker.mask_value(kept)[key] if kept else _DROPPED


_DROPPED = object()
