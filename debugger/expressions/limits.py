"""Limits on what a condition or a text with placeholders may cost.

They lie far above what a workflow needs, and keep the cost of a text in proportion to its length and to the
values that it names.
"""

from __future__ import annotations

import threading
from time import thread_time
from typing import Any

MAX_PATH_CHARACTERS = 1_000
"""Of one reference's path; a longer one is looked up as a whole name and reaches into nothing."""

MAX_PATH_STEPS = 100
"""Names and indexes in one reference's path."""

MAX_VALUE_CHARACTERS = 1_000_000
"""Of a value that a filter works on or makes, everything in it together."""

MAX_LIST_ITEMS = 100_000
"""Items of a list that a filter works on or makes, those of lists and objects in it included."""

MAX_DATE_CHARACTERS = 1_000
"""Of a text that is read as a date, and of a date's format."""

MAX_EVALUATION_SECONDS = 0.7
"""CPU time for one condition or one text with its placeholders; the value that was being computed is lost."""

MAX_SHOWN_CHARACTERS = 100_000
"""Of a condition with its values filled in; values that do not fit are named by their type."""

_ADVICE = "Shorten the value, or compute it in a tool node."


class FilterError(Exception):
    """An unreadable Liquid expression, or a value that a filter cannot take."""


class LimitError(FilterError):
    """An expression that costs more than a limit allows."""

    def __init__(self, reason: str, advice: str = _ADVICE) -> None:
        super().__init__(reason)
        self.advice = advice


def path_problem(path: str) -> str:
    """Explain why a path exceeds the limits; empty where it does not.

    The limits are `MAX_PATH_CHARACTERS`, and `MAX_PATH_STEPS` dots and opening brackets.
    """
    if len(path) > MAX_PATH_CHARACTERS:
        return f"the path has {len(path):,} characters, and {MAX_PATH_CHARACTERS:,} is the most"
    steps = path.count(".") + path.count("[") + 1
    if steps > MAX_PATH_STEPS:
        return f"the path has {steps:,} steps, and {MAX_PATH_STEPS:,} is the most"
    return ""


def measure(value: Any, max_characters: int, max_items: int) -> tuple[int, int]:
    """Count the characters and the items of a value.

    A part that is held many times counts each time, as it will when it is written. The count ends where it
    exceeds a maximum.
    """
    characters = items = 0
    waiting = [value]
    while waiting and characters <= max_characters and items <= max_items:
        part = waiting.pop()
        if isinstance(part, str):
            characters += len(part)
        elif isinstance(part, bool | float) or part is None:
            characters += 5
        elif isinstance(part, int):
            characters += part.bit_length() // 4 + 1
        elif isinstance(part, dict | list | tuple):
            items += len(part)
            if items > max_items:
                break
            if isinstance(part, dict):
                waiting += part.keys()
                waiting += part.values()
            else:
                waiting += part
    return characters, items


def is_deeper(value: Any, levels: int) -> bool:
    """Return whether a JSON value has more levels of lists and objects.

    The values in the innermost of them are a level, too.
    """
    inner = [value]
    for _ in range(levels + 1):
        parents = [part for part in inner if isinstance(part, dict | list)]
        inner = [
            part for parent in parents for part in (parent.values() if isinstance(parent, dict) else parent)
        ]
    return bool(inner)


def exceeds(value: Any, characters: int) -> bool:
    """Return whether a value would be longer when it is written; of anything but a text it is an estimate.

    Raises:
        LimitError: The time of the evaluation is over.
    """
    if type(value) is str:
        return len(value) > characters
    check_time()
    return sum(measure(value, characters, characters)) > characters


def count_items(value: Any, subject: str) -> int:
    """Count the items of the lists and objects in a value; a text or a number has none.

    Args:
        value: Any JSON value, which may hold one part many times.
        subject: Begins the sentence of the fault, as "the filter join works on".

    Raises:
        LimitError: It has more items or characters than a filter may work on.
    """
    if type(value) is str:  # the usual case
        require_length(subject, len(value))
        return 0
    characters, items = measure(value, MAX_VALUE_CHARACTERS, MAX_LIST_ITEMS)
    if items > MAX_LIST_ITEMS:
        raise LimitError(f"{subject} at least {items:,} items, and {MAX_LIST_ITEMS:,} is the most")
    require_length(subject, characters)
    return items


def require_length(subject: str, characters: int) -> None:
    """Refuse a text, if possible before it is made.

    Raises:
        LimitError: It has more characters than a value may have.
    """
    if characters > MAX_VALUE_CHARACTERS:
        raise LimitError(
            f"{subject} at least {characters:,} characters, and {MAX_VALUE_CHARACTERS:,} is the most"
        )


class _TimeLimit(threading.local):
    """The CPU time of a thread's evaluation; nested evaluations share it.

    The clock starts with the first check, because most evaluations need none.
    """

    depth = 0
    end = 0.0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1
        if not self.depth:
            self.end = 0.0


time_limit = _TimeLimit()
"""Limits the evaluation within its ``with`` statement."""


def check_time() -> None:
    """Stop an evaluation whose time is over.

    The first check within `time_limit` starts the clock; outside of it nothing happens.

    Raises:
        LimitError: It took longer than `MAX_EVALUATION_SECONDS`.
    """
    if not time_limit.depth:
        return
    now = thread_time()
    if not time_limit.end:
        time_limit.end = now + MAX_EVALUATION_SECONDS
    elif now > time_limit.end:
        raise LimitError(f"it takes longer than {MAX_EVALUATION_SECONDS:g} seconds to evaluate")
