"""Answers of a group of models, within a time limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from debugger.engine.environment import Environment
from debugger.engine.models.base import DiscardedAnswer, ModelError, Prompt, Reply
from debugger.engine.models.providers.answers import answer
from debugger.engine.models.providers.clients import open_client
from debugger.engine.models.providers.configs import Group, ModelConfig, request_seconds
from debugger.engine.models.providers.keys import Keys
from debugger.engine.models.providers.model_client import ModelClient
from debugger.engine.outbound.gateway import HttpLimits
from debugger.errors import DebuggerError

_LOOK = 0.05
"""Seconds between two checks for a cancellation."""
_KEY_NOT_USED = (
    "A language model's configuration holds a key, which is not used: keys come from the environment. "
    "Remove it from the workflow."
)

Result = TypeVar("Result")


def reply_of(
    group: Group,
    prompt: Prompt,
    keys: Keys,
    environment: Environment,
    seconds: float,
    limits: Callable[[ModelConfig], HttpLimits],
) -> Reply:
    """Return the reply of a group of models within ``seconds``, with warnings and discarded answers.

    Every call runs in an event loop of its own, so that whatever hangs can be stopped for good.

    Raises:
        ModelError: There is no answer; the text says why, without secrets, and the error has the answers that
            came.
        RunError: A person must mend something first.
    """
    attempts: list[_Attempt] = []

    async def ask(config: ModelConfig) -> _Attempt:
        """Open a model's client and return the attempt; any error of its package becomes a `ModelError`.

        A DebuggerError leaves it as it is.
        """
        try:
            async with open_client(config, keys, request_seconds(config), limits(config)) as model:
                attempts.append(_Attempt(ModelClient(config, model, keys, environment)))
                return await attempts[-1].ask(prompt)
        except (ModelError, DebuggerError):
            raise
        except Exception as error:  # whatever a provider's package does, the node has a line for it
            raise ModelError(f"{config.target} could not be called ({type(error).__name__})") from None

    try:
        winner = asyncio.run(_in_time(first_answer(group, ask), prompt, seconds))
    except ModelError as error:
        error.discarded = _discarded(attempts, str(error))
        error.failed_requests = tuple(why for attempt in attempts for why in attempt.client.failed_requests)
        raise
    assert winner.reply is not None
    others = [attempt for attempt in attempts if attempt is not winner]
    unused_key = (_KEY_NOT_USED,) if winner.client.config.holds_key else ()
    return replace(
        winner.reply,
        warnings=(*unused_key, *winner.reply.warnings),
        discarded=_discarded(others, "another model of the group answered"),
    )


@dataclass(slots=True)
class _Attempt:
    """The question to one model of a group, and its result."""

    client: ModelClient
    reply: Reply | None = None
    error: str = ""

    async def ask(self, prompt: Prompt) -> _Attempt:
        """Note the reply and return the attempt.

        Raises:
            ModelError: There is no reply; its text is noted.
        """
        try:
            self.reply = await answer(self.client, prompt)
        except ModelError as error:
            self.error = str(error)
            raise
        return self


def _discarded(attempts: Sequence[_Attempt], reason: str) -> tuple[DiscardedAnswer, ...]:
    """Return the answers of some models, each with its own reason or else a common one."""
    answers = (attempt.client.discarded(attempt.error or reason) for attempt in attempts)
    return tuple(answer for answer in answers if answer is not None)


async def _in_time(work: Coroutine[Any, Any, Result], prompt: Prompt, seconds: float) -> Result:
    """Return the result of some work; the work is cancelled and awaited where it does not end by itself.

    Raises:
        ModelError: The seconds are over, or the prompt was given up.
        Exception: The work raised it.
    """
    ends = time.monotonic() + seconds
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            left = ends - time.monotonic()
            if left <= 0:
                raise ModelError(f"there was no answer within {seconds:g} s")
            if prompt.given_up.is_set():
                raise ModelError("the answer is no longer needed")
            await asyncio.wait({task}, timeout=min(_LOOK, left))
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def first_answer(group: Group, ask: Callable[[ModelConfig], Awaitable[Result]]) -> Result:
    """Return one model's answer: the most preferred that has one when the minimal patience ends.

    Without one the other models are called, too, and the most preferred of those that are done counts. All
    that have not answered by then are stopped.

    Raises:
        ModelError: None answered, or none in time.
        RunError: The user must correct something before any model can be called.
    """
    started = time.monotonic()
    at_first = len(group.members) if group.parallel else 1
    tasks = [asyncio.ensure_future(ask(member)) for member in group.members[:at_first]]
    try:
        await asyncio.wait(tasks, timeout=group.min_patience)
        while (winner := _winner(tasks)) is None:
            left = group.max_patience - (time.monotonic() - started)
            if left <= 0:
                raise ModelError(f"{group.target} did not answer within {group.max_patience:g} s")
            # A first one that failed or is late gets company, never its place taken away.
            tasks += [asyncio.ensure_future(ask(member)) for member in group.members[len(tasks) :]]
            waiting = [task for task in tasks if not task.done()]
            if not waiting:
                raise _failure(tasks)
            await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        return winner.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _winner(tasks: Sequence[asyncio.Future[Result]]) -> asyncio.Future[Result] | None:
    return next((task for task in tasks if task.done() and task.exception() is None), None)


def _failure(tasks: Sequence[asyncio.Future[Result]]) -> BaseException:
    """Return the error for models that all failed.

    It is an unexpected error first; the first correctable one only if all models have one; else one
    `ModelError` with all texts.
    """
    errors = [error for task in tasks if (error := task.exception()) is not None]
    other = next((error for error in errors if not isinstance(error, DebuggerError | ModelError)), None)
    if other is not None:
        return other
    if all(isinstance(error, DebuggerError) for error in errors):
        return errors[0]
    return ModelError("; ".join(getattr(error, "message", str(error)) for error in errors))
