"""The nodes that ask a model (``platform/engine.md`` 2.1)."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from debugger.engine.nodes.base import Node, NodeContext, NodeRun, Outcome
from debugger.engine.responders.base import Choice, ModelFailure, Prompt, Reply, Responder
from debugger.engine.static_messages import fixed_response
from debugger.engine.world import World
from debugger.errors import RunError
from debugger.protocol.base import JsonObject, WireModel
from debugger.protocol.events import (
    AssistantResponseEvent,
    ConditionEvaluatorLLMEvent,
    DiscardedMainLLMEvent,
    Event,
    ModelEvent,
    SayLLMEvent,
    WorkerLLMEvent,
)
from debugger.protocol.messages import ai_message
from debugger.protocol.workflow import NodeConfig, WorkflowConfig


class PromptConfig(WireModel):
    """A system prompt."""

    prompt: str | None = None


class LLMConfig(NodeConfig):
    """The fields of both model nodes."""

    main_response_config: PromptConfig | None = None
    self_loop: bool = False
    wait_for_user_message: bool = True
    default_error_message: str | None = (
        "I am sorry, there seems to be an issue. Could you please repeat?"  # the platform's own default
    )
    ignore_default_prompt_prefix: bool = False
    ignore_default_prompt_suffix: bool = False
    structured_output_schema: JsonObject | None = None


class SayLLMConfig(LLMConfig):
    """A speaking node loops to itself unless told otherwise."""

    self_loop: bool = True


@dataclass(frozen=True)
class Answer:
    """A reply, and what it cost."""

    reply: Reply
    usage: JsonObject


def ask(responder: Responder, prompt: Prompt, world: World) -> Answer:
    """Ask whatever stands for the model, and measure it.

    Raises:
        ModelFailure: It gave no answer.
    """
    began = time.perf_counter()
    reply = responder.reply(prompt)
    return Answer(reply, usage_info(reply.model, (time.perf_counter() - began) * 1000, world))


def usage_info(model: str, latency: float, world: World) -> JsonObject:
    """The usage of one answer (``platform/engine.md`` 13); a stand-in uses no tokens."""
    return {
        "response_model": model,
        "provider": "embedded",
        "llm_response_id": f"response_{world.uuid()}",
        "used_user_api_key": False,
        "response_latency_milliseconds": round(latency, 3),
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "total_tokens": 0,
        "was_estimated": False,
    }


def judge(choice: Choice, node: NodeConfig, context: NodeContext) -> Generator[Event, None, Reply | None]:
    """Have one condition judged in a call of its own.

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
    )
    try:
        answer = ask(context.responder, prompt, context.world)
    except ModelFailure:
        return None
    met = answer.reply.chosen is not None
    yield ConditionEvaluatorLLMEvent(
        message=model_message(answer.reply, f"assistant_message_{context.world.uuid()}"),
        llm_usage_info=answer.usage,
        destination_node_logical_id=choice.destination_node_logical_id,
        is_condition_met=met,
    )
    return answer.reply if met else None


class LLMNode(Node[LLMConfig]):
    """Ask the model; take the hop that it chose, or what it answered."""

    Config: ClassVar[type[NodeConfig]] = LLMConfig
    MessageEvent: ClassVar[type[ModelEvent]]
    kind: ClassVar[Literal["say", "work"]]
    calls_model: ClassVar[bool] = True

    @property
    def waits_for_user(self) -> bool:
        """As the author set it."""
        return self.config.wait_for_user_message

    @property
    def loops_to_itself(self) -> bool:
        """As the author set it."""
        return self.config.self_loop

    def run_input(self, context: NodeContext) -> JsonObject | None:
        """The user messages that it is given."""
        return {
            "type": "llm",
            "node_logical_id": self.config.logical_id,
            "dynamic_variables": {},
            "runtime_variables": {},
            "miscellaneous": {},
            "messages": list(context.messages),
        }

    def run(self, context: NodeContext) -> NodeRun:
        """Ask, tell what came back, then leave by the chosen hop or with the answer.

        Where a condition that is judged apart holds, the answer is thrown away (``platform/engine.md`` 7.2
        (k)).
        """
        matched = yield from self._first_judged(context)
        message_id = f"assistant_message_{context.world.uuid()}"
        try:
            answer = ask(context.responder, self._prompt(context), context.world)
        except ModelFailure:
            return (yield from self._apologise(message_id))
        reply = answer.reply
        if matched is not None:
            message = model_message(reply, message_id)
            yield DiscardedMainLLMEvent(message=message, llm_usage_info=answer.usage)
            return (yield from self._leave(context, matched))
        yield self.MessageEvent(message=model_message(reply, message_id), llm_usage_info=answer.usage)
        if reply.chosen is not None:
            return (yield from self._leave(context, reply))
        yield from self._answer(reply, message_id, answer.usage)
        fields = self._known_fields(reply.fields)
        self.write(context, fields)
        return Outcome({"structured_output": fields}, answered=self._answers(reply), reason=reply.reason)

    def _first_judged(self, context: NodeContext) -> Generator[Event, None, Reply | None]:
        """Judge every condition that is judged apart; the first that holds, in node order."""
        first = None
        for choice in context.judged:
            verdict = yield from judge(choice, self.config, context)
            first = first or verdict
        return first

    def _answer(self, reply: Reply, message_id: str, usage: JsonObject) -> NodeRun:
        yield from ()
        return Outcome()

    def _answers(self, reply: Reply) -> bool:
        return False

    def _leave(self, context: NodeContext, reply: Reply) -> NodeRun:
        assert reply.chosen is not None
        line = context.edge_message(reply.chosen)
        if line is not None:
            yield fixed_response(line, context.world)
        args = {"justification": reply.reason, **reply.args}
        self.write(context, args)
        return Outcome({"structured_output": {}}, chosen=reply.chosen, args=args, reason=reply.reason)

    def _apologise(self, message_id: str) -> NodeRun:
        text = self.config.default_error_message
        if text is not None:
            yield AssistantResponseEvent(logical_id=message_id, content=text)
        return Outcome({"structured_output": {}}, answered=text is not None)

    def _known_fields(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that the schema names; a model may give more than it was asked for."""
        schema = inner_schema(self.config.structured_output_schema)
        if schema is None:
            return {}
        named = schema.get("properties")
        return {key: value for key, value in fields.items() if named is None or key in named}

    def _prompt(self, context: NodeContext) -> Prompt:
        thread = context.thread
        return Prompt(
            kind=self.kind,
            node_logical_id=self.config.logical_id,
            node_name=self.config.label,
            system=context.fill(self._system(context)),
            message=context.message,
            history=lambda: context.history.of(thread.thread_id),
            variables=thread.runtime_variables,
            visit=thread.completions.get(self.config.logical_id, 0) + 1,
            choices=context.choices,
            schema=inner_schema(self.config.structured_output_schema),
        )

    def _system(self, context: NodeContext) -> str:
        """Prefix, prompt and suffix, a blank line between them (``platform/engine.md`` 6.2, U-42)."""
        workflow = context.workflow.config
        own = self.config.main_response_config and self.config.main_response_config.prompt
        shared = _shared_prompt(workflow)
        parts = [
            None if self.config.ignore_default_prompt_prefix else workflow.default_prompt_prefix,
            own if own is not None else shared,
            None if self.config.ignore_default_prompt_suffix else workflow.default_prompt_suffix,
        ]
        return "\n\n".join(part for part in parts if part)


class SayLLMNode(LLMNode):
    """A model turn that speaks."""

    Config: ClassVar[type[NodeConfig]] = SayLLMConfig
    MessageEvent: ClassVar[type[ModelEvent]] = SayLLMEvent
    kind: ClassVar[Literal["say", "work"]] = "say"

    def _answer(self, reply: Reply, message_id: str, usage: JsonObject) -> NodeRun:
        if reply.text:
            yield AssistantResponseEvent(logical_id=message_id, content=reply.text, llm_usage_info=usage)
        return Outcome()

    def _answers(self, reply: Reply) -> bool:
        return bool(reply.text)


class WorkerLLMNode(LLMNode):
    """A silent model turn: its structured output becomes variables."""

    MessageEvent: ClassVar[type[ModelEvent]] = WorkerLLMEvent
    kind: ClassVar[Literal["say", "work"]] = "work"

    def _apologise(self, message_id: str) -> NodeRun:
        yield from ()
        return Outcome({"structured_output": {}})


def _shared_prompt(config: WorkflowConfig) -> str | None:
    """The prompt of nodes that have none of their own."""
    found = (config.main_response_config or {}).get("prompt")
    if found is None or isinstance(found, str):
        return found
    raise RunError(
        f"The workflow's main_response_config has a prompt that is no text: {found!r}.",
        advice="Write a text there, or null.",
    )


def model_message(reply: Reply, message_id: str) -> JsonObject:
    """The reply as a model would have sent it; a chosen hop is a tool call (``platform/wire.md`` 3.6)."""
    calls: list[JsonObject] = []
    if reply.chosen is not None:
        arguments = {"justification": reply.reason, **reply.args}
        calls = [{"name": hop_tool_name(reply), "args": arguments, "id": message_id, "type": "tool_call"}]
    return ai_message(reply.text, message_id=message_id, tool_calls=calls)


def hop_tool_name(reply: Reply) -> str:
    """The name of the pseudo-tool that stands for the chosen hop."""
    assert reply.chosen is not None
    return f"Destination_Node__{reply.chosen.destination_node_logical_id}"


def inner_schema(schema: JsonObject | None) -> JsonObject | None:
    """The JSON Schema inside its envelope, or the bare one (``platform/engine.md`` 2.1)."""
    if schema is None:
        return None
    inner = schema.get("input_schema")
    return readable_schema(inner if isinstance(inner, dict) else schema)


def readable_schema(schema: JsonObject) -> JsonObject:
    """The schema as a stand-in can read it: without ``properties`` that are no object of schemas."""
    if isinstance(schema.get("properties", {}), dict):
        return schema
    return {key: value for key, value in schema.items() if key != "properties"}
