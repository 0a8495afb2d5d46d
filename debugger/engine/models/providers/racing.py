"""Several models of which one answers: the groups of ``platform/engine.md`` 11.3."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from debugger.engine.models.base import ModelFailure
from debugger.engine.models.providers.configs import Group, ModelConfig
from debugger.errors import DebuggerError

Result = TypeVar("Result")


async def first_answer(group: Group, ask: Callable[[ModelConfig], Awaitable[Result]]) -> Result:
    """The answer of one model: of those that have answered when patience ends, the most preferred.

    Whoever has not answered by then is stopped.

    Raises:
        ModelFailure: None answered, or none in time.
        RunError: Nobody could be asked before a person mends something.
    """
    began = time.monotonic()
    at_first = len(group.members) if group.parallel else 1
    tasks = [_started(ask, member) for member in group.members[:at_first]]
    try:
        await asyncio.wait(tasks, timeout=group.min_patience)
        while (winner := _winner(tasks)) is None:
            # A first one that failed or is late gets company, never its place taken away.
            tasks += [_started(ask, member) for member in group.members[len(tasks) :]]
            waiting = [task for task in tasks if not task.done()]
            if not waiting:
                raise _failure(tasks)
            left = None if group.max_patience is None else group.max_patience - (time.monotonic() - began)
            await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if left is not None and left <= 0:
                raise ModelFailure(f"{group.target} did not answer within {group.max_patience:g} s")
        return winner.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _started(ask: Callable[[ModelConfig], Awaitable[Result]], member: ModelConfig) -> asyncio.Task[Result]:
    async def asked() -> Result:
        return await ask(member)

    return asyncio.create_task(asked())


def _winner(tasks: Sequence[asyncio.Task[Result]]) -> asyncio.Task[Result] | None:
    return next((task for task in tasks if task.done() and task.exception() is None), None)


def _failure(tasks: Sequence[asyncio.Task[Result]]) -> BaseException:
    """Why nobody answered; something to mend only where that stopped all of them."""
    errors = [error for task in tasks if (error := task.exception()) is not None]
    other = next((error for error in errors if not isinstance(error, DebuggerError | ModelFailure)), None)
    if other is not None:
        return other
    if all(isinstance(error, DebuggerError) for error in errors):
        return errors[0]
    return ModelFailure("; ".join(getattr(error, "message", str(error)) for error in errors))
