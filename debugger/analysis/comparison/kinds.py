"""What kind of thing differs: an input, the path, the words, the state, a failure, or something else."""

from __future__ import annotations

from typing import Literal

from debugger.analysis.comparison.items import INPUT, Item
from debugger.analysis.hops import HOP_TYPES

Kind = Literal["input", "path", "words", "state", "failure", "other"]

KINDS: tuple[Kind, ...] = ("input", "path", "words", "state", "failure", "other")
"""In the order in which they are told."""

_PATH = HOP_TYPES | {"start_node_run", "workflow_navigation_message"}
_WORDS = frozenset({"user_messages", "assistant_response", "say_static", "say_llm", "worker_llm"})


def kind_of(item: Item) -> Kind:
    """The kind of an item."""
    if item.type == INPUT:
        return "input"
    if item.event is not None and item.event.is_failure:
        return "failure"
    if item.type in _PATH:
        return "path"
    if item.type in _WORDS:
        return "words"
    return "state" if item.type == "workflow_show_state" else "other"
