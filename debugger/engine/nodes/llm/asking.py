"""To ask the model on behalf of a node, and to speak what fills the time until it answers."""

from __future__ import annotations

from collections.abc import Generator

from debugger.engine.nodes.base import NodeContext
from debugger.engine.responders.asking import LONGEST_ANSWER, Answer, ask
from debugger.engine.responders.base import Prompt
from debugger.protocol.events import AssistantResponseEvent, Event


def ask_model(prompt: Prompt, context: NodeContext) -> Generator[Event, None, Answer]:
    """Ask, in the time that the run has.

    Returns:
        The answer. Yields each filler as it is spoken (``platform/engine.md`` 11.3, U-59).

    Raises:
        ModelFailure: There is no answer.
        RunError: A person must mend something before there can be one.
    """
    responder = context.responder
    if context.hand is not None:
        prompt, responder = context.hand.answering(prompt, context)
    asking = ask(
        responder,
        prompt,
        context.world,
        outbound=context.outbound,
        cancelled=context.cancelled,
        timeout=context.within_time(LONGEST_ANSWER),
    )
    while True:
        try:
            filler = next(asking)
        except StopIteration as stop:
            answer: Answer = stop.value
            context.warnings += answer.reply.warnings
            return answer
        yield AssistantResponseEvent(
            logical_id=f"assistant_message_{context.world.uuid()}",
            content=filler,
            response_metadata={"message_type": "backchannel"},
        )
