"""Whether a value fits a JSON Schema that somebody else wrote."""

from __future__ import annotations

from typing import Any

_LONGEST = 300
"""Characters of a complaint; it may quote a whole value."""


def mismatch(value: Any, schema: Any) -> str | None:
    """The most telling way in which a value does not fit, by its place; ``None`` where it fits.

    A schema that is none finds no fault: its author's mistake is not the value's.
    """
    # Imported here: they take a tenth of the time in which the app starts, and few workflows need them.
    from jsonschema import Draft202012Validator, exceptions, validators
    from referencing import Registry

    kind = validators.validator_for(schema, default=Draft202012Validator)
    try:
        # An empty registry: by itself jsonschema would fetch what a schema refers to from the network.
        error = exceptions.best_match(kind(schema, registry=Registry()).iter_errors(value))
    except Exception:  # a schema that its author got wrong fails in as many ways as there are mistakes
        return None
    if error is None:
        return None
    place = ".".join(str(part) for part in error.absolute_path)
    text = f"{place}: {error.message}" if place else error.message
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
