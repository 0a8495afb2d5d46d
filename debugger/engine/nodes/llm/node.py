"""The nodes that ask a model (``platform/engine.md`` 2.1)."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from debugger.engine.nodes.base import Node, NodeContext, NodeRun, Outcome
from debugger.engine.nodes.llm.asking import ask_model
from debugger.engine.nodes.llm.config import LLMConfig, SayLLMConfig
from debugger.engine.nodes.llm.judging import first_judged, warn_unanswered
from debugger.engine.nodes.llm.messages import call_id, model_message
from debugger.engine.nodes.llm.offers import NodeTools, OfferedTool, stays_unsaid
from debugger.engine.nodes.llm.prompts import FixedParts, make_prompt
from debugger.engine.nodes.llm.tool_rounds import ToolRounds
from debugger.engine.responders.asking import Answer
from debugger.engine.responders.base import ModelFailure, Prompt, Reply
from debugger.engine.static_messages import fixed_response
from debugger.protocol.base import JsonObject
from debugger.protocol.events import (
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
class Talk:
    """The model's turn in one run of a node, as far as it has come."""

    prompt: Prompt
    tools: tuple[OfferedTool, ...]
    rounds_left: int
    spoke: bool = False
    """Whether something of the model's was spoken."""

    def go_on(self, message: Message, results: Sequence[Message]) -> None:
        """Take in a round of calls; after the last one the model has to do without tools (U-4)."""
        self.rounds_left -= 1
        exchange = (*self.prompt.exchange, message, *results)
        tools = self.prompt.tools if self.rounds_left > 0 else ()
        self.prompt = replace(self.prompt, exchange=exchange, tools=tools)


class LLMNode(Node[LLMConfig]):
    """Ask the model; run the tools that it calls and ask again; take the hop that it chose, or its answer."""

    Config: ClassVar[type[NodeConfig]] = LLMConfig
    MessageEvent: ClassVar[type[ModelEvent]]
    kind: ClassVar[Literal["say", "work"]]
    calls_model: ClassVar[bool] = True

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self._tools = NodeTools(self.config)
        self._parts: FixedParts | None = None

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
        matched = yield from first_judged(self.config, context)
        talk = self._talk(context)
        if matched is not None:
            yield from self._discard(talk, context)
            return (yield from self._leave(context, matched))
        try:
            reply = yield from self._converse(talk, context)
        except ModelFailure as failure:
            warn_unanswered(self.config, context, failure)
            return (yield from self._apologise(talk, context))
        if reply is None:
            return Outcome({"structured_output": {}}, answered=talk.spoke)
        if reply.chosen is not None:
            return (yield from self._leave(context, reply))
        return (yield from self._finish(reply, talk, context))

    @property
    def _speaks(self) -> bool:
        return self.kind == "say"

    def _message(self, context: NodeContext) -> str:
        """What the model is to answer."""
        return context.message

    def _talk(self, context: NodeContext) -> Talk:
        tools = self._tools.offered(context)
        prompt = make_prompt(
            self.config,
            context,
            kind=self.kind,
            fixed=self._fixed(context),
            message=self._message(context),
            tools=[one.offer for one in tools],
        )
        return Talk(prompt, tools, self.config.max_consecutive_tool_calls)

    def _fixed(self, context: NodeContext) -> FixedParts:
        """What is the same in all prompts of the node, which runs in one workflow only."""
        if self._parts is None:
            self._parts = FixedParts.of(self.config, context.workflow.config, speaks=self._speaks)
        return self._parts

    def _discard(self, talk: Talk, context: NodeContext) -> Generator[Event, None, None]:
        """Ask all the same, since the platform asks at once, and throw the answer away."""
        try:
            answer = yield from ask_model(talk.prompt, context)
        except ModelFailure:
            return
        message = self._message_of(answer.reply, context)
        yield DiscardedMainLLMEvent(message=message, llm_usage_info=answer.usage)

    def _converse(self, talk: Talk, context: NodeContext) -> Generator[Event, None, Reply | None]:
        """Ask, and run what the model calls, until it answers or chooses a hop.

        A hop wins over calls that come with it, as its step comes first (2.1.2).

        Returns:
            The last reply; ``None`` where the turn was ended between two rounds.
        """
        while True:
            answer = yield from ask_model(talk.prompt, context)
            message = self._message_of(answer.reply, context)
            yield self.MessageEvent(message=message, llm_usage_info=answer.usage)
            calls = bool(answer.reply.calls and talk.prompt.tools)
            if self._stays_unsaid(answer.reply, calls, talk, context):
                message = {**message, "content": ""}
            elif self._speaks and answer.reply.text:
                yield self._spoken(message, answer)
                talk.spoke = True
            if answer.reply.chosen is not None or not calls:
                return answer.reply
            results = yield from self._rounds(talk, context).run(message["tool_calls"])
            if context.cancelled.is_set():
                return None
            talk.go_on(message, results)

    def _message_of(self, reply: Reply, context: NodeContext) -> Message:
        ids = [call_id(context.world) for _ in reply.calls]
        return model_message(reply, f"assistant_message_{context.world.uuid()}", ids)

    def _stays_unsaid(self, reply: Reply, calls: bool, talk: Talk, context: NodeContext) -> bool:
        """Whether the reply's text is dropped, because it came along with a hop or with calls."""
        hops = reply.chosen is not None
        if not hops and not calls:
            return False
        return stays_unsaid(reply.calls, hops, talk.tools, self.config, context.workflow.config)

    def _spoken(self, message: Message, answer: Answer) -> Event:
        return AssistantResponseEvent(
            logical_id=message["id"], content=answer.reply.text, llm_usage_info=answer.usage
        )

    def _rounds(self, talk: Talk, context: NodeContext) -> ToolRounds:
        return ToolRounds(
            self.config,
            context,
            talk.tools,
            speaks=self._speaks,
            message_event=lambda message: self.MessageEvent(message=message),
        )

    def _leave(self, context: NodeContext, reply: Reply) -> NodeRun:
        assert reply.chosen is not None
        line = context.edge_message(reply.chosen, context)
        if line is not None:
            yield fixed_response(line, context.world)
        args = {"justification": reply.reason, **reply.args}
        self.write(context, args)
        return Outcome({"structured_output": {}}, chosen=reply.chosen, args=args, reason=reply.reason)

    def _finish(self, reply: Reply, talk: Talk, context: NodeContext) -> NodeRun:
        """End with an answer; keys that it lacks keep their old values (U-44)."""
        if reply.fields_error is not None:
            context.warnings.append(
                f"Node {self.config.label!r} has no structured output: {reply.fields_error}"
            )
            return (yield from self._apologise(talk, context))
        fields = self._known_fields(reply.fields, talk)
        self.write(context, fields)
        return Outcome({"structured_output": fields}, answered=talk.spoke, reason=reply.reason)

    def _apologise(self, talk: Talk, context: NodeContext) -> NodeRun:
        """Say the default error message, unless nobody waits for it."""
        text = self.config.default_error_message
        if self._speaks and text is not None and not context.cancelled.is_set():
            talk.spoke = True
            message_id = f"assistant_message_{context.world.uuid()}"
            yield AssistantResponseEvent(logical_id=message_id, content=text)
        return Outcome({"structured_output": {}}, answered=talk.spoke)

    def _known_fields(self, fields: Mapping[str, Any], talk: Talk) -> dict[str, Any]:
        """The fields that the schema names; a model may give more than it was asked for."""
        schema = talk.prompt.schema
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
