"""The bounded retry of a node: ``self_loop_config`` (``platform/engine.md`` 2.2)."""

from __future__ import annotations

from typing import Literal

from debugger.engine.state import BoundedLoop, ThreadState
from debugger.engine.world import World
from debugger.protocol.events import NodeExpiredEvent, SelfLoopDelayEvent, SelfLoopExhaustedEvent
from debugger.protocol.workflow import NodeConfig, SelfLoopConfig

OUTCOME = "self_loop_outcome"
"""The variable that says why a loop gave up; absent where one of its conditions came true."""

GaveUp = Literal["max_retries", "expiry_time"]


def retry_settings(node: NodeConfig) -> SelfLoopConfig | None:
    """The settings of a node's retry, if it has one that is switched on."""
    settings = node.self_loop_config
    return settings if settings is not None and settings.enabled else None


def begin_attempt(
    thread: ThreadState, node: NodeConfig, settings: SelfLoopConfig, world: World
) -> BoundedLoop:
    """Count an attempt; the first one starts the clock and forgets how an earlier loop ended (U-6)."""
    loop = thread.loop
    if loop is None or loop.node_id != node.logical_id:
        deadline = None if settings.expiry_time is None else world.now() + settings.expiry_time
        loop = thread.loop = BoundedLoop(node.logical_id, 0, deadline)
        thread.runtime_variables.pop(OUTCOME, None)
    loop.attempts += 1
    return loop


def outcome_of(loop: BoundedLoop, settings: SelfLoopConfig, world: World) -> GaveUp | None:
    """Why the loop gives up after an attempt that led nowhere; ``None`` when it goes on."""
    if settings.max_retries is not None and loop.attempts - 1 >= settings.max_retries:
        return "max_retries"
    if loop.is_over(world.now()):
        return "expiry_time"
    return None


def delay_event(node: NodeConfig, loop: BoundedLoop, settings: SelfLoopConfig) -> SelfLoopDelayEvent:
    """The event before the sleep; told also when there is none to sleep (U-5)."""
    return SelfLoopDelayEvent(
        **_ends(node),
        reason=f"Bounded self-loop for node {node.logical_id} waits before attempt {loop.attempts + 1}",
        delay_seconds=float(settings.time_between_retries),
        attempt_number=loop.attempts + 1,
    )


def exhausted_event(node: NodeConfig, loop: BoundedLoop, outcome: GaveUp) -> SelfLoopExhaustedEvent:
    """The event of a loop that gave up."""
    told = f"Bounded self-loop for node {node.logical_id} stopped after {loop.attempts} attempt(s): {outcome}"
    return SelfLoopExhaustedEvent(**_ends(node), reason=told, outcome=outcome, total_attempts=loop.attempts)


def expired_event(loop: BoundedLoop, settings: SelfLoopConfig) -> NodeExpiredEvent:
    """The event of a run that outlived the loop's time."""
    return NodeExpiredEvent(
        attempt_number=loop.attempts,
        reason=f"the run outlived the loop's expiry_time of {settings.expiry_time} s",
    )


def _ends(node: NodeConfig) -> dict[str, str | None]:
    return {
        "source_node_logical_id": node.logical_id,
        "source_node_name": node.name,
        "destination_node_logical_id": node.logical_id,
        "destination_node_name": node.name,
    }
