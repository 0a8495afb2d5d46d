"""Checks of values against a JSON Schema, in bounded time.

Schema and value may both come from outside: a schema of ten lines can refer to itself in a way that takes
years, and a pattern can be chosen that no regular expression engine finishes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from typing import Any

from debugger.expressions.limits import LimitError, check_time, is_deeper, measure, time_limit
from debugger.expressions.patterns import search_pattern
from debugger.expressions.values import equality_key, shortened

MAX_ERRORS = 20
"""Of one keyword on one value; each error holds the value written out, and only the best is shown."""

MAX_CHARACTERS = 5_000_000
"""Limit of a value; a part that is held many times counts each time, as it does in a message."""

MAX_ITEMS = 500_000

_DEEP = 50
"""Levels of a value that any schema can be followed into."""

_MAX_SHOWN = 300
"""Characters of a complaint; it may quote a whole value."""

_Errors = Iterator[Any]
_Keyword = Callable[[Any, Any, Any, Any], _Errors]


def schema_error(value: Any, schema: Any) -> str | None:
    """Return the most relevant error of a value under a JSON Schema, after its place; ``None`` where it fits.

    It is cut after 300 characters.

    A schema that is invalid itself finds no fault: its author's mistake is not the value's. A value that
    cannot be checked within the limits of time and size does not fit. ``unevaluatedProperties`` and
    ``unevaluatedItems`` are not checked in a schema that also has references or patterns.
    """
    # Imported here: they take a tenth of the time in which the app starts, and few workflows need them.
    from jsonschema import Draft202012Validator, exceptions, validators
    from referencing import Registry

    try:
        with time_limit:
            kind = _bounded_kind(validators.validator_for(schema, default=Draft202012Validator))
            characters, items = measure(value, MAX_CHARACTERS, MAX_ITEMS)
            if characters > MAX_CHARACTERS or items > MAX_ITEMS:
                raise LimitError(f"it has more than {MAX_CHARACTERS:,} characters or {MAX_ITEMS:,} items")
            # An empty registry: by itself jsonschema would fetch what a schema refers to from the network.
            validator = kind(_without_dialects(schema), registry=Registry())
            error = exceptions.best_match(validator.iter_errors(value))
    except LimitError as fault:
        return f"it cannot be checked against its JSON Schema: {fault}"
    except RecursionError:  # of a schema that only refers to itself it is the author's mistake
        is_deep = is_deeper(value, _DEEP - 1)
        return "it cannot be checked against its JSON Schema: it is nested too deep" if is_deep else None
    except Exception:  # a schema that its author got wrong fails in as many ways as there are mistakes
        return None
    if error is None:
        return None
    place = ".".join(str(part) for part in error.absolute_path)
    return shortened(f"{place}: {error.message}" if place else error.message, _MAX_SHOWN)


@cache
def _bounded_kind(kind: Any) -> Any:
    """Return the validator class of a dialect with each keyword bounded in time; cached for each class."""
    from jsonschema import validators

    keywords: dict[str, Any] = {
        **kind.VALIDATORS,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "uniqueItems": _unique_items,
        "enum": _enum,
    }
    for name in {"additionalProperties", "unevaluatedItems", "unevaluatedProperties"} & keywords.keys():
        rewrite = _additional if name == "additionalProperties" else _unevaluated
        keywords[name] = rewrite(keywords[name])
    bounded = {name: _bounded(keyword) for name, keyword in keywords.items()}
    return validators.extend(kind, bounded)  # type: ignore[no-untyped-call]


def _bounded(keyword: _Keyword) -> _Keyword:
    """Return a keyword's check that yields at most `MAX_ERRORS` short errors and observes the time limit.

    It raises `LimitError` once the time is up.
    """

    def check(validator: Any, wanted: Any, value: Any, schema: Any) -> _Errors:
        """Yield the keyword's first errors, their messages cut to 300 characters."""
        check_time()
        for error in islice(keyword(validator, wanted, value, schema) or (), MAX_ERRORS):
            error.message = shortened(error.message, _MAX_SHOWN)
            error.args = (error.message,)  # the whole message is there, too
            yield error
            check_time()

    return check


def _without_dialects(schema: Any) -> Any:
    """Return a copy of a schema without any ``$schema`` text: each would bring an unbounded validator."""
    if isinstance(schema, dict):
        return {
            key: _without_dialects(part)
            for key, part in schema.items()
            if key != "$schema" or not isinstance(part, str)
        }
    return [_without_dialects(part) for part in schema] if isinstance(schema, list) else schema


def _pattern(validator: Any, pattern: str, value: Any, _schema: Any) -> _Errors:
    from jsonschema import ValidationError

    if validator.is_type(value, "string") and not search_pattern(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: dict[str, Any], value: Any, _schema: Any) -> _Errors:
    """Check each member whose name a pattern fits against the schema of that pattern, and yield its errors.

    Nothing is yielded for a value that is no object.
    """
    if not validator.is_type(value, "object"):
        return
    for pattern, part in patterns.items():
        for name, member in value.items():
            if search_pattern(pattern, name):
                yield from validator.descend(member, part, path=name, schema_path=pattern)


def _unique_items(validator: Any, wanted: Any, value: Any, _schema: Any) -> _Errors:
    """Compare by keys: the library compares each element with each other."""
    from jsonschema import ValidationError

    if wanted and validator.is_type(value, "array") and len(set(map(_checked_key, value))) < len(value):
        yield ValidationError(f"{value!r} has non-unique elements")


def _enum(_validator: Any, wanted: Any, value: Any, _schema: Any) -> _Errors:
    from jsonschema import ValidationError

    key = equality_key(value)
    if all(_checked_key(each) != key for each in wanted):
        yield ValidationError(f"{value!r} is not one of {wanted!r}")


def _checked_key(value: Any) -> Any:
    check_time()
    return equality_key(value)


def _additional(keyword: _Keyword) -> _Keyword:
    """Return the check of ``additionalProperties`` without the names that a pattern fits.

    The library's own match of patterns is unbounded.
    """

    def check(validator: Any, wanted: Any, value: Any, schema: Any) -> _Errors:
        """Yield the errors of the members that fit no pattern."""
        patterns = schema.get("patternProperties")
        if patterns and isinstance(value, dict):
            value = {
                name: member
                for name, member in value.items()
                if not any(search_pattern(pattern, name) for pattern in patterns)
            }
            schema = {key: part for key, part in schema.items() if key != "patternProperties"}
        return keyword(validator, wanted, value, schema) or iter(())

    return check


def _unevaluated(keyword: _Keyword) -> _Keyword:
    """Return a check that skips a keyword in schemas with references or patterns.

    The library's search is unbounded there.
    """

    def check(validator: Any, wanted: Any, value: Any, schema: Any) -> _Errors:
        if _has_any(schema, {"$ref", "$dynamicRef", "$recursiveRef", "patternProperties"}):
            return iter(())
        return keyword(validator, wanted, value, schema) or iter(())

    return check


def _has_any(schema: Any, keywords: set[str]) -> bool:
    """Return whether a schema has one of some keywords as a key of an object at any depth."""
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if keywords & part.keys():
                return True
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return False
