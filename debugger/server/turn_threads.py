"""The threads that turns run on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

MOST = 64
"""How many turns run at once in a process; most of their time they wait for models and tools."""

_threads = ThreadPoolExecutor(MOST, thread_name_prefix="turn")


async def on_a_turn_thread(
    work: Callable[Given, Answer], *args: Given.args, **kwargs: Given.kwargs
) -> Answer:
    """Call a function on one of these threads, and wait until it has done its work.

    FastAPI's own threads, of which there are 40 for all other routes together, cost half as much again as a
    short turn: they wait in queues that are written in Python. And with threads apart, turns that take long
    leave some to the routes that only read.
    """
    return await asyncio.get_running_loop().run_in_executor(_threads, partial(work, *args, **kwargs))
