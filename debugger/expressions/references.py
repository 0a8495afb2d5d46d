"""Paths and their look-up in the variables of a scope."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import reduce
from typing import Any, Final, Literal

from debugger.expressions.bounded_cache import BoundedCache
from debugger.expressions.limits import path_problem


@dataclass(slots=True)
class Scope:
    """The variables of a text or a condition (``platform.md#variables``).

    A name that is in none of them is *absent*, which is not the same as null.
    """

    dynamic: Mapping[str, Any] = field(default_factory=dict)
    """For ``{{name}}``; ``{{global.name}}`` is looked up as written, then without ``global.``."""
    runtime: Mapping[str, Any] = field(default_factory=dict)
    """For ``[[name]]`` in the current thread. Keys may contain dots: ``node_price.price`` is a copy of
    ``price`` qualified by the node that wrote it, so the longest key that fits wins over reaching into an
    object."""
    workflow: Mapping[str, Any] = field(default_factory=dict)
    """Run-wide memory, seen through ``[[name]]`` after the thread's own; names that begin with ``_`` are
    hidden."""
    threads: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """For ``[[thread_<id>.name]]``: runtime variables by the thread's reference id (``"0"`` is the main
    thread)."""
    dict_paths: Literal["resolve", "literal"] = "resolve"
    """Whether ``[[a.b]]`` reaches into an object that ``a`` holds, or is absent (U-39)."""


Namespace = Literal["dynamic", "runtime"]
"""``{{name}}`` is dynamic, ``[[name]]`` is runtime."""

Reader = Callable[[Scope], Any]
"""Looks one path up; gives its value or `ABSENT`."""

Steps = tuple[str | int, ...]
"""The way into a value: names and indexes."""


class Absent(Enum):
    """The type of `ABSENT`."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
"""What a look-up gives for a path that has no value. Null is a value."""

_HEAD = re.compile(r"[^.\[\]]+")
_STEP = re.compile(
    r"""
    \. (?P<name> [^.\[\]]+ )
    | \[ \s* (?P<index> -?[0-9]{1,9} ) \s* \]
    | \[ \s* (?P<quote> ['"] ) (?P<key> .*? ) (?P=quote) \s* \]
    """,
    re.VERBOSE | re.DOTALL,
)
_THREAD = re.compile(r"thread_(?P<id>[^.\[\]]+)\.(?P<path>.+)", re.DOTALL)
_GLOBAL = "global."

MAX_READERS_BYTES = 32_000_000
_readers: BoundedCache[tuple[Namespace, str], Reader] = BoundedCache(MAX_READERS_BYTES)


def lookup(scope: Scope, namespace: Namespace, path: str) -> Any:
    """Return the value of a path.

    Args:
        scope: Where to look.
        namespace: Which of the scope's variables.
        path: A name, ``a.b``, ``xs[0].n`` or ``a['b c']``, without brackets around it and without filters.

    Returns:
        The value, or `ABSENT`. A path that makes no sense is absent too.

    Source: ``platform.md#variables``, ``platform.md#variable-precedence`` and
    ``platform.md#substitution``. A key of the whole path wins over reaching into what a
    shorter key holds, and a thread's own variables win over other threads' and over the run-wide memory. An
    object or a list also answers Liquid's ``size``, ``first`` and ``last`` when it has no such key.
    """
    return reader(namespace, path)(scope)


def reader(namespace: Namespace, path: str) -> Reader:
    """Return the look-up of one path, prepared for many uses.

    It gives `ABSENT` where a scope has no value. A path that makes no sense, or is too long, is looked up as
    a whole name only. Look-ups are kept in a cache, by namespace and path.
    """
    found = _readers.get((namespace, path))
    if found is None:
        found = _dynamic_reader(path) if namespace == "dynamic" else _runtime_reader(path)
        _readers.put((namespace, path), found, reader_bytes(path))
    return found


def reader_bytes(path: str) -> int:
    """Estimate the memory of a path's look-up."""
    steps = 0 if path_problem(path) else path.count(".") + path.count("[")
    return 1_000 + (steps + 1) * (len(path) + 8 * steps + 150)


def _dynamic_reader(path: str) -> Reader:
    """Return the look-up of a path among dynamic variables.

    A path that begins with ``global.`` and has no value is looked up without that, too.
    """
    written = _finder(path)
    if not path.startswith(_GLOBAL):
        return lambda scope: written(scope.dynamic, True)
    bare = _finder(path.removeprefix(_GLOBAL))

    def read(scope: Scope) -> Any:
        """Look the path up as it is written, then without ``global.``."""
        found = written(scope.dynamic, True)
        return bare(scope.dynamic, True) if found is ABSENT else found

    return read


def _runtime_reader(path: str) -> Reader:
    """Return the look-up of a path in a thread: its variables, those of a named thread, the run-wide memory.

    The first of these that has a value counts. A path that begins with ``_`` is not looked up in the memory.
    """
    find = _finder(path)
    find_elsewhere = _thread_finder(path)
    hidden = path.startswith("_")

    def read(scope: Scope) -> Any:
        """Look the path up in the thread, in a named thread, and in the run-wide memory."""
        reach = scope.dict_paths == "resolve"
        found = find(scope.runtime, reach)
        if found is ABSENT and find_elsewhere is not None:
            found = find_elsewhere(scope.threads, reach)
        if found is ABSENT and not hidden:
            found = find(scope.workflow, reach)
        return found

    return read


def _thread_finder(path: str) -> Callable[[Mapping[str, Mapping[str, Any]], bool], Any] | None:
    """Return the look-up of ``thread_<id>.path`` among all threads; ``None`` for any other path.

    It gives `ABSENT` where there is no such thread, or no value in it.
    """
    match = _THREAD.fullmatch(path)
    if match is None:
        return None
    thread_id = match["id"]
    find = _finder(match["path"])
    return lambda threads, reach: find(threads[thread_id], reach) if thread_id in threads else ABSENT


def _finder(path: str) -> Callable[[Mapping[str, Any], bool], Any]:
    """Return the look-up of a path among variables; it gives `ABSENT` where there is no value.

    Its flag allows it to reach into the value of a variable.
    """
    ways = _ways(path)
    if not ways:
        return lambda variables, _reach: variables.get(path, ABSENT)

    def find(variables: Mapping[str, Any], reach: bool) -> Any:
        """Look up the whole path, then each key of a variable with the steps into its value."""
        found = variables.get(path, ABSENT)
        if found is ABSENT and reach:
            for key, steps in ways:
                if key in variables and (found := reduce(_step, steps, variables[key])) is not ABSENT:
                    break
        return found

    return find


def _ways(path: str) -> tuple[tuple[str, Steps], ...]:
    """Split a path into key and steps into its value.

    The longest key comes first. There are none for a single name, and for a path that makes no sense or is
    beyond the limits.
    """
    head = _HEAD.match(path)
    if head is None or path_problem(path):
        return ()
    ends, steps = [head.end()], list[str | int]()
    while match := _STEP.match(path, ends[-1]):
        steps.append(int(match["index"]) if match["index"] else match["name"] or match["key"])
        ends.append(match.end())
    if ends[-1] != len(path):
        return ()
    return tuple((path[: ends[cut]], tuple(steps[cut:])) for cut in range(len(steps) - 1, -1, -1))


def _step(value: Any, step: str | int) -> Any:
    """Return one part of a value; `ABSENT` where it has none.

    A member wins over ``size``, ``first`` and ``last``, which lists have; objects and texts have ``size``. An
    index may count from the end.
    """
    if isinstance(value, Mapping) and step in value:
        return value[step]
    if isinstance(step, int):
        is_inside = isinstance(value, list | tuple) and -len(value) <= step < len(value)
        return value[step] if is_inside else ABSENT
    if step == "size" and isinstance(value, Mapping | list | tuple | str):
        return len(value)
    if step in ("first", "last") and isinstance(value, list | tuple) and value:
        return value[0 if step == "first" else -1]
    return ABSENT
