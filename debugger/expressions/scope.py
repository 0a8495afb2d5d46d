"""The variables that a text or a condition can see (``platform/engine.md`` section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(slots=True)
class Scope:
    """Where references are looked up. What is not here is *absent*, which is not the same as null."""

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
