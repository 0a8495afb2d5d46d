"""The interpreters of the versions that were run last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from debugger.backends.python_consents import PythonPermits
from debugger.engine.interpreter import Interpreter

_KEPT = 32


class Interpreters:
    """Interpreters by workflow and version, made when they are asked for first.

    Args:
        make: Makes the interpreter of a workflow's version; gives it with the ids of the stored workflows
            that are in it as super nodes.
        permits: The consents to run a version's Python without a sandbox, looked at each time.
    """

    def __init__(
        self, make: Callable[[str, int], tuple[Interpreter, frozenset[str]]], permits: PythonPermits
    ) -> None:
        self._make = make
        self._permits = permits
        self._made: OrderedDict[tuple[str, int], tuple[Interpreter, frozenset[str]]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, workflow_id: str, version_number: int) -> Interpreter:
        """The interpreter of a version."""
        return self._permits.permit(workflow_id, version_number, self._cached(workflow_id, version_number))

    def _cached(self, workflow_id: str, version_number: int) -> Interpreter:
        key = (workflow_id, version_number)
        with self._lock:
            found = self._made.get(key)
            if found is not None:
                self._made.move_to_end(key)
                return found[0]
        made = self._make(workflow_id, version_number)
        with self._lock:
            self._made[key] = made
            while len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return made[0]

    def forget(self, workflow_id: str) -> None:
        """Let go of a workflow's interpreters, and of those that have it in them."""
        with self._lock:
            for key in [key for key, made in self._made.items() if workflow_id in (key[0], *made[1])]:
                del self._made[key]
