"""The options of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PythonMode = Literal["sandboxed", "refused", "unsafe"]


@dataclass(frozen=True)
class PythonStatus:
    """The mode in which Python code runs, with its reason and advice."""

    mode: PythonMode = "sandboxed"
    reason: str = ""
    advice: str = ""

    @property
    def description(self) -> str:
        """Return mode, reason and advice in one line."""
        return " ".join(filter(None, (f"{self.mode}.", self.reason, self.advice)))


@dataclass(frozen=True)
class EngineOptions:
    """Choices where the platform leaves a question open.

    The numbers are those of its unknowns.
    """

    max_node_runs: int = 100
    """Node runs in one turn before the run ends as ``aborted_looping_risk`` (U-26)."""
    start_events: bool = True
    """Whether the first turn begins with ``start_workflow`` and ``start_thread`` (U-45)."""
    dict_paths: Literal["resolve", "literal"] = "resolve"
    """Whether ``[[a.b]]`` reaches into an object that ``a`` holds (U-39)."""
    time_zone: str = "UTC"
    """The zone of ``{{now}}`` and its like (U-38)."""
    inline_python: PythonStatus = PythonStatus()
    """The mode in which Python code of a workflow runs. Without a sandbox, the default does not run it."""
    tool_timeout: float = 30
    """Seconds a tool may take when it names no limit of its own (U-53)."""
    linger_after_reply: bool = False
    """Whether a node that waits and does not loop waits again after it has spoken, before its way out is
    taken (U-3)."""
    knowledge_folder: Path | None = None
    """A folder of documents for knowledge-base tools; ``None`` where there is none."""
    fills_code: bool = True
    """Whether variables are filled into inline Python. Where not, code with placeholders that have a value
    fails: a user has read the code as it is written, and allowed no other."""
