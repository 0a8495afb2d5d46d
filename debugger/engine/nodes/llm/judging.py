"""To have a condition judged by a model in a call of its own (``platform/engine.md`` 4.3)."""

from __future__ import annotations

from collections.abc import Generator

from debugger.engine.nodes.base import NodeContext
from debugger.engine.nodes.llm.asking import ask_model
from debugger.engine.nodes.llm.messages import model_message
from debugger.engine.nodes.llm.model_choice import model_of
from debugger.engine.responders.base import Choice, ModelFailure, Prompt, Reply
from debugger.protocol.events import ConditionEvaluatorLLMEvent, Event
from debugger.protocol.workflow import NodeConfig


def judge(choice: Choice, node: NodeConfig, context: NodeContext) -> Generator[Event, None, Reply | None]:
    """Have one condition judged.

    Returns:
        What the model said when the condition holds, else ``None``, also when no answer came. Yields the
        verdict.
    """
    prompt = Prompt(
        kind="judge",
        node_logical_id=node.logical_id,
        node_name=node.label,
        system=choice.condition,
        message=context.message,
        history=lambda: context.history.of(context.thread.thread_id),
        variables=context.thread.runtime_variables,
        visit=context.thread.completions.get(node.logical_id, 0),
        choices=(choice,),
        llm=model_of(node, context.workflow.config, speaks=False),
    )
    try:
        answer = yield from ask_model(prompt, context)
    except ModelFailure as failure:
        warn_unanswered(node, context, failure)
        return None
    met = answer.reply.chosen is not None
    yield ConditionEvaluatorLLMEvent(
        message=model_message(answer.reply, f"assistant_message_{context.world.uuid()}"),
        llm_usage_info=answer.usage,
        destination_node_logical_id=choice.destination_node_logical_id,
        is_condition_met=met,
    )
    return answer.reply if met else None


def first_judged(node: NodeConfig, context: NodeContext) -> Generator[Event, None, Reply | None]:
    """Judge every condition that is judged apart; the first that holds, in node order."""
    first = None
    for choice in context.judged:
        verdict = yield from judge(choice, node, context)
        first = first or verdict
    return first


def warn_unanswered(node: NodeConfig, context: NodeContext, failure: ModelFailure) -> None:
    """Tell in a warning why a model gave no answer; not where the turn was ended meanwhile."""
    why = str(failure).rstrip(".")
    if not context.cancelled.is_set():
        context.warnings.append(
            f"The model of node {node.label!r} gave no answer{f': {why}' if why else ''}."
        )
