"""Consents to run a workflow's Python without a sandbox on this machine."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from debugger.engine.interpreter import Interpreter
from debugger.engine.options import PythonStatus
from debugger.protocol.json_codec import encode
from debugger.protocol.workflow import Workflow
from debugger.store.consents import PythonConsents

INLINE_PYTHON = "inline_python"
"""The type of a tool whose work is a Python function in the workflow."""

CONSENTED = PythonStatus(
    "unsafe", "This version's Python has the rights of this program, because you allowed it."
)


@dataclass(frozen=True)
class PythonFunction:
    """A tool's code as the author wrote it."""

    place: str
    """The node that has the tool, as people call it."""
    tool: str
    code: str


@dataclass(frozen=True)
class PythonUse:
    """The Python code of a workflow's version, and the way it runs."""

    workflow_id: str
    version_number: int
    functions: tuple[PythonFunction, ...]
    """Those of nested workflows too; empty where there is no Python."""
    status: PythonStatus
    """The status of this version: ``unsafe`` where a user has consented to exactly this code."""
    digest: str
    """The digest that a consent to this code is stored with; empty where no consent counts."""
    recorded_tools: frozenset[str]
    """The tools that answer with recorded examples where Python is refused."""

    @property
    def may_consent(self) -> bool:
        """Return whether a user's consent allows it to run, or has allowed it."""
        return bool(self.digest)

    @property
    def has_consent(self) -> bool:
        """Return whether it runs by a user's consent."""
        return self.status == CONSENTED


class PythonPermits:
    """The consents that count on this installation.

    None count where the backend uses none, or where Python needs none.

    A consent is stored with a digest that only this installation can make. One that came with a restored
    backup, or from another machine that uses the same database, lets nothing run here.

    Args:
        consents: The stored ones.
        key: The secret of this installation; ``None`` for a backend that uses no consents, as a server's.
        status: The way in which Python runs without a consent.
    """

    def __init__(self, consents: PythonConsents, key: bytes | None, status: PythonStatus) -> None:
        self._consents = consents
        self._key = key if status.mode == "refused" else None
        self.are_used = self._key is not None
        """True where a consent can change the way in which a version's Python runs."""

    def permit(self, workflow_id: str, version_number: int, interpreter: Interpreter) -> Interpreter:
        """Return an interpreter that may run the version's code, if consented.

        It is the same interpreter otherwise. The digest is made of the code that it runs, whatever becomes
        of the stored version meanwhile.
        """
        if self._key is None:
            return interpreter
        consent = self._consents.find(workflow_id, version_number)
        if consent is None:
            return interpreter
        own = self.digest(workflow_id, version_number, python_functions(interpreter.workflow))
        if not hmac.compare_digest(consent.code_digest, own):
            return interpreter
        return interpreter.with_options(
            replace(interpreter.options, inline_python=CONSENTED, fills_code=False)
        )

    def digest(self, workflow_id: str, version_number: int, functions: Iterable[PythonFunction]) -> str:
        """Return the HMAC-SHA-256 of a version's code in hexadecimal digits.

        It is empty where no consent counts.

        The names of the tools are in it, because they choose the function of the code that is called.
        """
        if self._key is None:
            return ""
        content = [workflow_id, version_number, [[each.tool, each.code] for each in functions]]
        return hmac.new(self._key, b"python:" + encode(content), hashlib.sha256).hexdigest()


def python_functions(workflow: Workflow) -> tuple[PythonFunction, ...]:
    """Return every inline Python tool of a workflow: those of nodes in document order, then shared ones.

    Args:
        workflow: With its super nodes expanded.
    """
    nodes = ((node.label, node.to_wire()) for node in workflow.node_configs)
    shared = ("The workflow", workflow.config.to_wire())
    return tuple(
        PythonFunction(place, str(tool.get("name") or ""), str(tool.get("code") or ""))
        for place, document in (*nodes, shared)
        for tool in _tools_in(document)
    )


def _tools_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every inline Python tool in a JSON value, at any depth, an outer one before those in it."""
    if isinstance(value, dict):
        if value.get("type") == INLINE_PYTHON:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _tools_in(inner)
