"""The places of a workflow where the engine draws at random."""

from __future__ import annotations

from collections import deque
from typing import Any

from debugger.expressions import placeholders
from debugger.protocol.base import WireModel
from debugger.protocol.workflow import SYSTEM_NAMES

_RANDOM_NAMES = frozenset(name for name in SYSTEM_NAMES if name.startswith("rand_"))
_CHOICES = (
    ("static_messages", "static_messages_selection_mode", frozenset({"random"})),
    # Fillers are drawn unless they are said in order.
    (
        "backchannel_static_responses",
        "backchannel_static_responses_selection_mode",
        frozenset({"random", None}),
    ),
)
"""A list of texts, the key that says how one is chosen, and the values that mean at random."""


def draws_at_random(part: WireModel) -> bool:
    """Return whether a workflow, or a part of it, draws at random.

    It does where one of several texts is chosen at random, and where a text, condition or argument uses a
    random value such as ``{{rand_int}}``. Workflows inside super nodes count; stored ones are not read.
    """
    waiting: deque[Any] = deque([part.to_wire()])
    while waiting:
        found = waiting.popleft()
        if isinstance(found, str):
            if "rand_" in found and any(
                each.namespace == "dynamic" and each.path in _RANDOM_NAMES for each in placeholders(found)
            ):
                return True
        elif isinstance(found, list):
            waiting += found
        elif isinstance(found, dict):
            for texts, mode, random in _CHOICES:
                listed = found.get(texts)
                if isinstance(listed, list) and len(listed) > 1 and found.get(mode) in random:
                    return True
            waiting += found.values()
    return False
