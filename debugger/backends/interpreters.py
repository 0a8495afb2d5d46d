"""The interpreters of the versions that were run last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from debugger.engine.interpreter import Interpreter

_KEPT = 32


class Interpreters:
    """Interpreters by workflow and version, made when they are asked for first.

    Args:
        make: Makes the interpreter of a workflow's version.
    """

    def __init__(self, make: Callable[[str, int], Interpreter]) -> None:
        self._make = make
        self._made: OrderedDict[tuple[str, int], Interpreter] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, workflow_id: str, version_number: int) -> Interpreter:
        """The interpreter of a version."""
        key = (workflow_id, version_number)
        with self._lock:
            found = self._made.get(key)
            if found is not None:
                self._made.move_to_end(key)
                return found
        made = self._make(workflow_id, version_number)
        with self._lock:
            self._made[key] = made
            while len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return made

    def forget(self, workflow_id: str) -> None:
        """Let go of a workflow's interpreters."""
        with self._lock:
            for key in [key for key in self._made if key[0] == workflow_id]:
                del self._made[key]
