"""Answers that a person has recorded in a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from debugger.engine.options import PythonStatus
from debugger.engine.outbound import OutboundCall, RecordedAnswer
from debugger.engine.tools.base import ToolConfig
from debugger.engine.tools.simulation import ToolAnswer
from debugger.errors import RunError
from debugger.expressions.limits import LimitError
from debugger.protocol.base import JsonObject

Recorded = TypeVar("Recorded")


@dataclass(frozen=True)
class RecordedAnswers:
    """The recorded answers of a workflow's script; the first that fits a call is used."""

    calls: Sequence[RecordedAnswer] = ()
    """Those of calls to the outside."""
    tools: Sequence[ToolAnswer] = ()
    """Those of inline Python."""
    has_script: bool = False
    """Whether the workflow has a script."""
    win: bool = False
    """Whether one that fits answers under any policy, as in scenarios; else it answers a simulated call."""

    def of_call(self, call: OutboundCall[Any], *, is_simulated: bool) -> RecordedAnswer | None:
        """Return the first recorded answer that fits a call; ``None`` where none does.

        It is ``None``, too, for a call that is not simulated, unless recorded answers ``win``.

        Raises:
            RunError: The pattern of an answer costs too much.
        """
        if not is_simulated and not self.win:
            return None
        return _first(
            self.calls,
            lambda each: each.target.search(call.target) is not None and call.takes(each),
            call.target,
        )

    def of_tool(self, tool: ToolConfig, arguments: JsonObject, python: PythonStatus) -> ToolAnswer | None:
        """Return the first recorded answer that fits a call of inline Python that does not run here.

        It is ``None`` where none fits, for other tools, and where the code runs: in the sandbox, or without
        one unless recorded answers ``win``.

        Raises:
            RunError: The pattern of an answer costs too much.
        """
        is_call = python.mode == "refused" or (self.win and python.mode == "unsafe")
        if tool.type != "inline_python" or not is_call:
            return None
        name = tool.name or ""
        return _first(self.tools, lambda each: each.fits(name, arguments), f"the tool {name!r}")


def _first(answers: Sequence[Recorded], fits: Callable[[Recorded], bool], target: str) -> Recorded | None:
    """Return the first answer that fits, or ``None``.

    Raises:
        RunError: The pattern of an answer costs too much; the message names the ``target``.
    """
    try:
        return next(filter(fits, answers), None)
    except LimitError as error:
        raise RunError(
            f"An answer for {target} cannot be looked up: {error}.", advice=error.advice
        ) from error


NOTHING_RECORDED = RecordedAnswers()
