"""The nodes that call a model (``platform.md#llm-nodes``)."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from debugger.engine.models.base import ModelError, Prompt, Reply
from debugger.engine.nodes.base import Node, NodeContext, NodeResult, NodeRun, fixed_response, pick_message
from debugger.engine.nodes.llm.config import LLMConfig, SayLLMConfig
from debugger.engine.nodes.llm.model_call import (
    call_model,
    first_true,
    model_message,
    tool_message,
    warn_unanswered,
)
from debugger.engine.nodes.llm.prompts import StaticPrompt
from debugger.engine.nodes.llm.tool_specs import NodeTool, NodeToolset, suppress_text
from debugger.engine.tools.base import RESULT_NAME, ToolConfig, ToolResult
from debugger.engine.tools.runner import call_tool, write_result
from debugger.protocol.base import JsonObject
from debugger.protocol.events import (
    TROUBLE,
    AssistantResponseEvent,
    DiscardedMainLLMEvent,
    Event,
    ModelEvent,
    SayLLMEvent,
    WorkerLLMEvent,
)
from debugger.protocol.messages import Message
from debugger.protocol.workflow import NodeConfig


@dataclass(slots=True)
class ModelTurn:
    """The state of the model's turn in one run of a node."""

    prompt: Prompt
    tools: tuple[NodeTool, ...]
    rounds_left: int
    spoke: bool = False
    """Whether a text of the model was spoken."""

    def add_round(self, message: Message, results: Sequence[Message]) -> None:
        """Add a round of calls; after the last no tools remain (U-4)."""
        self.rounds_left -= 1
        exchange = (*self.prompt.exchange, message, *results)
        tools = self.prompt.tools if self.rounds_left > 0 else ()
        self.prompt = replace(self.prompt, exchange=exchange, tools=tools)


class LLMNode(Node[LLMConfig]):
    """A node that calls a model and its tools."""

    Config: ClassVar[type[NodeConfig]] = LLMConfig
    MessageEvent: ClassVar[type[ModelEvent]]
    kind: ClassVar[Literal["say", "work"]]
    calls_model: ClassVar[bool] = True

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self.waits_for_user, self.loops_to_itself = self.config.wait_for_user_message, self.config.self_loop
        self._tools = NodeToolset(self.config)
        self._prompt: StaticPrompt | None = None

    def run_input(self, context: NodeContext) -> JsonObject | None:
        """Return the input of a run as the start event reports it: the user's messages, all else empty."""
        return {
            "type": "llm",
            "node_logical_id": self.config.logical_id,
            "dynamic_variables": {},
            "runtime_variables": {},
            "miscellaneous": {},
            "messages": list(context.messages),
        }

    def run(self, context: NodeContext) -> NodeRun:
        """Call the model with its tools, then leave by its transition or end with its answer.

        Where a condition with a call of its own is true, the answer is discarded
        (``platform.md#event-order``). Where no answer comes, a warning is reported, and a speaking node says
        its default error message; a silent one says nothing. A turn that was stopped ends with an empty
        output. Raises RunError where the user must correct something.
        """
        matched = yield from first_true(self.config, context)
        turn = self.begin_turn(context)
        if matched is not None:
            yield from self._discard(turn, context)
            return (yield from self._leave(turn, context, matched, was_called=False))
        try:
            reply = yield from self._run_tool_loop(turn, context)
        except ModelError as failure:
            warn_unanswered(self.config, context, failure)
            return (yield from self._apologise(turn, context))
        if reply is None:
            return NodeResult({"structured_output": {}}, replied_to_user=turn.spoke)
        if reply.chosen is not None:
            return (yield from self._leave(turn, context, reply))
        return (yield from self._finish(reply, turn, context))

    def _message(self, context: NodeContext) -> str:
        return context.message

    def begin_turn(self, context: NodeContext) -> ModelTurn:
        """Return the model's turn with its first prompt, variables filled in, and the tools on offer.

        Raises:
            RunError: A prompt or a tool of the workflow cannot be read.
        """
        static = self.static_prompt(context)
        tools = self._tools.for_model(context)
        # The text that this run will say along with calls is in the prompt's exchange, not in the chat too.
        history = context.history.without_later_messages() if tools else context.history
        prompt = context.prompt(
            self.config,
            kind=self.kind,
            system=context.fill(static.system),
            message=self._message(context),
            history=lambda: history.of(context.thread.thread_id),
            choices=context.choices,
            schema=static.schema,
            tools=tuple(tool.spec for tool in tools),
            llm=static.llm,
            backchannel=None if static.backchannel is None else context.fill(static.backchannel),
        )
        return ModelTurn(prompt, tools, self.config.max_consecutive_tool_calls)

    def static_prompt(self, context: NodeContext) -> StaticPrompt:
        """Return the parts that all of its prompts share, made at the first call.

        Raises RunError where the workflow has a prompt that is not a text.
        """
        if self._prompt is None:  # a node runs in one workflow only
            speaks = self.kind == "say"
            self._prompt = StaticPrompt.of(self.config, context.workflow.config, speaks=speaks)
        return self._prompt

    def _discard(self, turn: ModelTurn, context: NodeContext) -> Generator[Event, None, None]:
        """Call the model and yield its answer as discarded, as the platform does; no answer is a warning.

        Nothing is written and no tool is called.
        """
        try:
            reply = yield from call_model(turn.prompt, context)
        except ModelError as failure:
            warn_unanswered(self.config, context, failure)
            return
        message = model_message(reply, reply.calls, context.environment)
        yield DiscardedMainLLMEvent(message=message, llm_usage_info=reply.usage)

    def _run_tool_loop(self, turn: ModelTurn, context: NodeContext) -> Generator[Event, None, Reply | None]:
        """Call model and tools until an answer or a transition, which wins; yield the events.

        Texts are spoken by a speaking node unless a setting suppresses those beside calls.

        Returns:
            The last reply; ``None`` where the turn was ended between two rounds.

        Raises:
            ModelError: The model gave no answer.
        """
        while True:
            reply = yield from call_model(turn.prompt, context)
            message = model_message(reply, reply.calls, context.environment)
            yield self.MessageEvent(message=message, llm_usage_info=reply.usage)
            has_calls = bool(reply.calls and turn.prompt.tools)
            if suppress_text(reply, has_calls, turn.tools, self.config, context.workflow.config):
                message = {**message, "content": ""}
            elif self.kind == "say" and reply.text:
                yield AssistantResponseEvent(
                    logical_id=message["id"], content=reply.text, llm_usage_info=reply.usage
                )
                turn.spoke = True
            if reply.chosen is not None or not has_calls:
                return reply
            results = yield from self._call_tools(message["tool_calls"], turn, context)
            if context.cancelled.is_set():
                return None
            turn.add_round(message, results)

    def _call_tools(
        self, calls: Sequence[JsonObject], turn: ModelTurn, context: NodeContext
    ) -> Generator[Event, None, list[Message]]:
        """Run the tool calls of one message, in order, until cancelled; a failed one does not end the others.

        Returns:
            The messages for the model: one for each handled call. Yields lines that are spoken and these
            messages.
        """
        messages: list[Message] = []
        for call in calls:
            if context.cancelled.is_set():
                break
            result = yield from self._call_tool(call, turn, context)
            messages.append(tool_message(call, result, context.environment))
            event = self.MessageEvent(message=messages[-1])
            if result.is_faulted:
                event.stamp(**{TROUBLE: {"faulted": True}})
            yield event
        return messages

    def _call_tool(
        self, call: JsonObject, turn: ModelTurn, context: NodeContext
    ) -> Generator[Event, None, ToolResult]:
        """Call a tool and write its result, but no outcome variables (10.6); return the result.

        An unknown tool or arguments that do not fit give a failure without a call. A speaking node first
        yields the tool's fixed message.
        """
        node_tool = next((tool for tool in turn.tools if tool.spec.name == call["name"]), None)
        if node_tool is None:
            names = ", ".join(tool.spec.name for tool in turn.tools)
            return ToolResult.failure(f"There is no tool {call['name']!r}; there is {names}.")
        complaint = node_tool.argument_error(call["args"])
        if complaint is not None:
            return ToolResult.failure(
                f"{call['name']} was not called, because its arguments do not fit: {complaint}"
            )
        config: ToolConfig = node_tool.tool.config
        if self.kind == "say" and config.static_messages_config is not None:
            key = f"tool:{self.config.logical_id}:{node_tool.spec.name}"
            picked = pick_message(config.static_messages_config, key, context.state, context.environment)
            if picked is not None:
                yield fixed_response(context.fill(picked), context.environment)
        tool_context = context.for_tool(self.config.logical_id, config.timeout_seconds)
        result = call_tool(node_tool.tool, call["args"], tool_context)
        name = config.result_runtime_variable_name or RESULT_NAME
        write_result(result, name, self.config, context.state, context.thread)
        return result

    def _leave(
        self, turn: ModelTurn, context: NodeContext, reply: Reply, *, was_called: bool = True
    ) -> NodeRun:
        """Say the line of the chosen transition, write fields and arguments as variables, return the result.

        Arguments of a transition that was judged apart are no variables (U-18).
        """
        assert reply.chosen is not None
        line = reply.message or context.edge_message(context.transitions[reply.chosen.edge_id])
        if line is not None:
            yield fixed_response(line, context.environment)
        args = {"justification": reply.reason, **reply.args}
        fields = self._known_fields(reply.fields, turn)
        self.write(context, {**fields, **args} if was_called else fields)
        return NodeResult(
            {"structured_output": fields},
            replied_to_user=turn.spoke,
            chosen=reply.chosen,
            args=args,
            reason=reply.reason,
        )

    def _finish(self, reply: Reply, turn: ModelTurn, context: NodeContext) -> NodeRun:
        """End with an answer: write its fields and return the result; absent keys keep their old values.

        Without structured output although some was wanted, a failure is reported, and a speaking node says
        its default error message (U-44).
        """
        if reply.fields_error is not None:
            text = f"Node {self.config.label!r} has no structured output: {reply.fields_error}"
            context.report_failure(reply.fields_trouble, text)
            return (yield from self._apologise(turn, context))
        fields = self._known_fields(reply.fields, turn)
        self.write(context, fields)
        return NodeResult({"structured_output": fields}, replied_to_user=turn.spoke, reason=reply.reason)

    def _apologise(self, turn: ModelTurn, context: NodeContext) -> NodeRun:
        """Say the default error message as a speaking node, unless there is none or the turn was cancelled.

        Returns an empty structured output.
        """
        text = self.error_message(context)
        if self.kind == "say" and text is not None and not context.cancelled.is_set():
            turn.spoke = True
            message_id = f"assistant_message_{context.environment.uuid()}"
            yield AssistantResponseEvent(logical_id=message_id, content=text)
        return NodeResult({"structured_output": {}}, replied_to_user=turn.spoke)

    def error_message(self, context: NodeContext) -> str | None:
        """Return the default error message, filled in; ``None`` without one or with an empty one (U-65)."""
        return context.fill(self.config.default_error_message or "") or None

    def _known_fields(self, fields: Mapping[str, Any], turn: ModelTurn) -> dict[str, Any]:
        """Return the fields that the schema names, all if it names none; empty without a schema."""
        schema = turn.prompt.schema
        if schema is None:
            return {}
        named = schema.get("properties")
        return {key: value for key, value in fields.items() if named is None or key in named}


class SayLLMNode(LLMNode):
    """A model turn that speaks."""

    Config: ClassVar[type[NodeConfig]] = SayLLMConfig
    MessageEvent: ClassVar[type[ModelEvent]] = SayLLMEvent
    kind: ClassVar[Literal["say", "work"]] = "say"


class WorkerLLMNode(LLMNode):
    """A silent model turn: its structured output becomes variables."""

    MessageEvent: ClassVar[type[ModelEvent]] = WorkerLLMEvent
    kind: ClassVar[Literal["say", "work"]] = "work"
