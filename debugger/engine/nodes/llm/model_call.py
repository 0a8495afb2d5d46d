"""Model calls of a node, evaluations of conditions, and their messages."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from itertools import groupby

from debugger.engine.environment import Environment
from debugger.engine.models.base import DiscardedAnswer, ModelError, Prompt, Reply, ToolCall, TransitionOption
from debugger.engine.models.invoke import MAX_ANSWER_SECONDS, invoke, usage_info
from debugger.engine.nodes.base import NodeContext
from debugger.engine.nodes.llm.prompts import model_of
from debugger.engine.tools.base import ToolResult
from debugger.errors import RunError
from debugger.protocol.base import JsonObject
from debugger.protocol.events import (
    AssistantResponseEvent,
    ConditionEvaluatorLLMEvent,
    DiscardedMainLLMEvent,
    Event,
)
from debugger.protocol.json_codec import encode
from debugger.protocol.messages import Message, ai_message, transition_tool_name
from debugger.protocol.workflow import NodeConfig
from debugger.telemetry import spans


def call_model(prompt: Prompt, context: NodeContext) -> Generator[Event, None, Reply]:
    """Call the model that the interceptor selects, in the time that the run has.

    Warnings and troubles of the reply go to the context.

    Returns:
        The reply. Yields each filler as it is spoken (``platform.md#model-groups``, U-59), then an event for
        each discarded answer.

    Raises:
        ModelError: There is no answer, or the turn was stopped.
        RunError: The user must correct something before there can be one.
    """
    if context.cancelled.is_set():
        raise ModelError("the answer is no longer needed")
    asked, model, interceptor = prompt, context.model, context.interceptor
    if interceptor is not None:
        prompt, model = interceptor.select_model(prompt, context)
    fillers = invoke(
        model,
        prompt,
        context.environment,
        outbound=context.outbound,
        cancelled=context.cancelled,
        timeout=context.clamp_timeout(MAX_ANSWER_SECONDS),
    )
    fillers = spans.steps("model", fillers, node_logical_id=prompt.node_logical_id, prompt=prompt.kind)
    spoken: list[str] = []
    try:
        while True:
            try:
                filler = next(fillers)
            except StopIteration as stop:
                reply: Reply = stop.value
                if interceptor is not None:
                    interceptor.record_reply(reply, context)
                yield from _discarded(reply.discarded, asked, context)
                context.warnings += reply.warnings
                for kind, text in reply.troubles:
                    context.report_failure(kind, text)
                return reply
            except (ModelError, RunError) as failure:
                if interceptor is not None:
                    interceptor.record_reply(failure, context)
                if isinstance(failure, ModelError):
                    yield from _discarded(failure.discarded, asked, context)
                raise
            spoken.append(filler)
            yield AssistantResponseEvent(
                logical_id=f"assistant_message_{context.environment.uuid()}",
                content=filler,
                response_metadata={"message_type": "backchannel"},
            )
    except GeneratorExit:  # the run is closed while the answer is late
        if interceptor is not None:
            ended = ModelError("the run was closed before the answer came")
            ended.fillers = tuple(spoken)
            interceptor.record_reply(ended, context)
        raise


def _discarded(answers: Sequence[DiscardedAnswer], prompt: Prompt, context: NodeContext) -> Iterator[Event]:
    """Yield an event for each answer that was paid for and is of no use; a verdict names its destination."""
    for answer in answers:
        event = DiscardedMainLLMEvent(
            message=ai_message("", message_id=f"assistant_message_{context.environment.uuid()}"),
            llm_usage_info={**usage_info("", 0, context.environment), **answer.usage},
            reason=answer.reason,
        )
        if prompt.kind == "judge":
            event.stamp(destination_node_logical_id=prompt.choices[0].destination_node_logical_id)
        yield event


def evaluate(
    choice: TransitionOption, node: NodeConfig, context: NodeContext
) -> Generator[Event, None, Reply | None]:
    """Evaluate one condition by a model call of its own (``platform.md#freeform-conditions``).

    A model that gives no answer is reported as a warning.

    Returns:
        The reply where the condition is true, else ``None``, also where no answer came. Yields the verdict.
    """
    try:
        reply = yield from call_model(judge_prompt(choice, node, context), context)
    except ModelError as failure:
        warn_unanswered(node, context, failure)
        return None
    is_met = reply.chosen is not None
    yield ConditionEvaluatorLLMEvent(
        message=model_message(reply, (), context.environment),
        llm_usage_info=reply.usage,
        destination_node_logical_id=choice.destination_node_logical_id,
        is_condition_met=is_met,
    )
    return reply if is_met else None


def judge_prompt(choice: TransitionOption, node: NodeConfig, context: NodeContext) -> Prompt:
    """Return the prompt by which one condition is judged, by the node's or the workflow's model."""
    return context.prompt(
        node,
        kind="judge",
        system=choice.condition,
        visit=context.thread.completions.get(node.logical_id, 0),
        choices=(choice,),
        llm=model_of(node, context.workflow.config, speaks=False),
    )


def first_true(node: NodeConfig, context: NodeContext) -> Generator[Event, None, Reply | None]:
    """Evaluate every condition that needs a call of its own.

    Return the first true one, in node order.
    """
    first = None
    for choice in context.llm_judged_choices:
        verdict = yield from evaluate(choice, node, context)
        first = first or verdict
    return first


def warn_unanswered(node: NodeConfig, context: NodeContext, failure: ModelError) -> None:
    """Report to the context that a model gave no answer, with its failed requests, unless cancelled.

    A single failed request is not named besides; equal ones in a row are counted.
    """
    why = str(failure).rstrip(".")
    if not context.cancelled.is_set():
        text = f"The model of node {node.label!r} gave no answer{f': {why}' if why else ''}."
        requests = failure.failed_requests
        if len(requests) > 1 and {each.rstrip(".") for each in requests} == {why}:
            text += f" All {len(requests)} requests failed in this way."
        elif len(requests) > 1:
            counted = (f"{each} ({n} times)" if n > 1 else each for each, n in _counts(requests))
            text += f" Its requests failed: {'; '.join(counted)}."
        context.report_failure("model", text, is_faulted=failure.is_faulted)


def _counts(texts: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield each text with the number of times that it comes in a row."""
    return ((text, len(list(same))) for text, same in groupby(texts))


def model_message(reply: Reply, tool_calls: Sequence[ToolCall], environment: Environment) -> Message:
    """Return a reply as a model's message in LangChain's shape (``platform.md#messages``).

    A chosen transition is a tool call too, which has the id of the message (``platform.md#events``).

    Args:
        reply: The reply.
        tool_calls: The calls of tools in it that the message carries.
        environment: Makes the ids.
    """
    # Letters, digits and "_" only and not above 40, as all providers take it.
    calls = [(call.name, call.args, f"call_{environment.uuid().replace('-', '')}") for call in tool_calls]
    message_id = f"assistant_message_{environment.uuid()}"
    if reply.chosen is not None:
        name = transition_tool_name(reply.chosen.destination_node_logical_id)
        calls.insert(0, (name, {"justification": reply.reason, **reply.args}, message_id))
    wire = [{"name": name, "args": args, "id": call_id, "type": "tool_call"} for name, args, call_id in calls]
    return ai_message(reply.text, message_id=message_id, tool_calls=wire)


def tool_message(call: JsonObject, result: ToolResult, environment: Environment) -> Message:
    """Return a call's result as a message for the model: JSON text, or the error of a failed one.

    The call has a name and an id; a missing one raises ``KeyError``.
    """
    metadata = {"tool_result": result.result}
    return {
        "content": encode(result.result).decode() if result.success else str(result.error),
        "additional_kwargs": {},
        "response_metadata": {**metadata, "simulated": True} if result.is_simulated else metadata,
        "type": "tool",
        "name": call["name"],
        "id": f"tool_message_{environment.uuid()}",
        "tool_call_id": call["id"],
        "artifact": None,
        "status": "success" if result.success else "error",
    }
