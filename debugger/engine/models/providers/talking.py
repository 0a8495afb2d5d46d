"""To talk with models: a group of them, each with its client, in time, until nobody waits any more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from debugger.engine.models.base import ModelFailure, Prompt, Reply
from debugger.engine.models.providers.answers import answer
from debugger.engine.models.providers.calls import Calls
from debugger.engine.models.providers.clients import opened
from debugger.engine.models.providers.configs import Group, ModelConfig
from debugger.engine.models.providers.keys import Keys
from debugger.engine.models.providers.racing import first_answer
from debugger.engine.models.providers.request_settings import request_seconds
from debugger.engine.outbound.gateway import HttpLimits
from debugger.engine.world import World
from debugger.errors import DebuggerError

_LOOK = 0.05
"""Seconds between two looks at whether anybody still waits."""
_KEY_NOT_USED = (
    "A language model's configuration holds a key, which is not used: keys come from the environment. "
    "Remove it from the workflow."
)

Result = TypeVar("Result")


def reply_of(
    group: Group,
    prompt: Prompt,
    keys: Keys,
    world: World,
    seconds: float,
    limits: Callable[[ModelConfig], HttpLimits],
) -> Reply:
    """The reply of a group of models, in at most so many seconds.

    Every call runs in an event loop of its own, so that whatever hangs can be stopped for good.

    Raises:
        ModelFailure: There is no answer; the text says why, without secrets.
        RunError: A person must mend something first.
    """

    async def ask(config: ModelConfig) -> Reply:
        return await _asked(config, prompt, keys, world, limits(config))

    return asyncio.run(_in_time(first_answer(group, ask), prompt, seconds))


async def _asked(config: ModelConfig, prompt: Prompt, keys: Keys, world: World, limits: HttpLimits) -> Reply:
    try:
        async with opened(config, keys, request_seconds(config), limits) as model:
            reply = await answer(Calls(config, model, keys, world), prompt)
            return replace(reply, warnings=(_KEY_NOT_USED,)) if config.holds_key else reply
    except (ModelFailure, DebuggerError):
        raise
    except Exception as error:  # whatever a provider's package does, the node has a line for it
        raise ModelFailure(f"{config.target} could not be asked ({type(error).__name__})") from None


async def _in_time(work: Coroutine[Any, Any, Result], prompt: Prompt, seconds: float) -> Result:
    """The result of some work that ends with the time, or when nobody waits for it."""
    ends = time.monotonic() + seconds
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            left = ends - time.monotonic()
            if left <= 0:
                raise ModelFailure(f"there was no answer within {seconds:g} s")
            if prompt.given_up.is_set():
                raise ModelFailure("nobody waits for the answer any more")
            await asyncio.wait({task}, timeout=min(_LOOK, left))
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
