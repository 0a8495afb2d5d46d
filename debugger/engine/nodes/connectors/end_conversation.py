"""The node that has a model process the transcript of the conversation.

Source: ``platform.md#conversation-nodes``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import ClassVar

from pydantic import Field

from debugger.engine.models.base import ModelError
from debugger.engine.nodes.base import Node, NodeContext, NodeResult, NodeRun, result_variables
from debugger.engine.nodes.llm.config import PromptConfig
from debugger.engine.nodes.llm.model_call import call_model
from debugger.engine.nodes.llm.prompts import model_of
from debugger.expressions import ABSENT, lookup
from debugger.protocol.base import JsonObject
from debugger.protocol.events import EndConversationEvent, Event
from debugger.protocol.json_codec import encode
from debugger.protocol.messages import Message, message_kind, message_text
from debugger.protocol.workflow import NodeConfig

RAW_TRANSCRIPT = "raw_conversation_transcript"
"""The variable that the platform fills with the transcript."""

PROCESSED_TRANSCRIPT = "processed_transcript"

_SPEAKERS = {"human": "User", "ai": "Assistant"}


class EndConversationConfig(NodeConfig):
    """The prompt and the model."""

    process_transcript_prompt: PromptConfig | None = None
    process_transcript_llms_config: JsonObject | None = Field(default=None, repr=False)  # may hold a key

    @property
    def llms_config(self) -> JsonObject | None:
        """Return the model, by the name of the field on other nodes."""
        return self.process_transcript_llms_config


class EndConversationNode(Node[EndConversationConfig]):
    """A node that writes and emits the processed transcript.

    The run continues after it. Without a prompt or a model, and where the model answers without a text, it is
    the raw one. A model that fails does not end the run (U-12).
    """

    Config: ClassVar[type[NodeConfig]] = EndConversationConfig

    def run(self, context: NodeContext) -> NodeRun:
        """Have a model process the transcript; yield and write the result, or the model's error.

        A model that gives no answer is reported as a warning, and the processed transcript is ``None``.
        """
        raw = self._raw_transcript(context)
        processed, error = None, None
        try:
            processed = yield from self._process(raw, context)
        except ModelError as failure:
            error = f"The model gave no answer. {failure}".strip()
            text = f"Node {self.config.label!r} failed: {error}"
            context.report_failure("model", text, is_faulted=failure.is_faulted)
        yield EndConversationEvent(processed_transcript=processed)
        self.write(context, result_variables(PROCESSED_TRANSCRIPT, processed, error))
        return NodeResult()

    def _raw_transcript(self, context: NodeContext) -> str:
        """Return the platform's or a call's transcript, else build the chat's and write it (U-14).

        One that such a node has built from an earlier chat is built again; a value that is no text is JSON.
        """
        found = lookup(context.scope, "runtime", RAW_TRANSCRIPT)
        if found is not ABSENT and found and not self._was_built(found, context):
            return found if isinstance(found, str) else encode(found).decode()
        built = transcript_of(context.history.of(context.thread.thread_id))
        self.write(context, {RAW_TRANSCRIPT: built})
        return built

    def _was_built(self, found: object, context: NodeContext) -> bool:
        """Return whether a node built it from an earlier chat."""
        makers = (node.logical_id for node in context.workflow.node_configs if node.type == self.config.type)
        written = context.thread.runtime_variables
        return any(written.get(f"{maker}.{RAW_TRANSCRIPT}") == found for maker in makers)

    def _process(self, raw: str, context: NodeContext) -> Generator[Event, None, str]:
        """Return the model's text for the transcript; the transcript itself without a prompt or a text.

        So it is with a model of type ``no_llm``. The events of the call are yielded. Raises ModelError where
        the model gave no answer.
        """
        own = self.config.process_transcript_prompt
        if own is None or not own.prompt or (self.config.llms_config or {}).get("type") == "no_llm":
            return raw
        prompt = context.prompt(
            self.config,
            kind="work",
            system=context.fill(own.prompt),
            message=raw,
            history=tuple,  # the transcript is all that it reads
            llm=model_of(self.config, context.workflow.config, speaks=False),
        )
        reply = yield from call_model(prompt, context)
        return reply.text or raw


def transcript_of(messages: Iterable[Message]) -> str:
    """Return the messages of user and assistant, one a line with its speaker, without memos.

    Messages without a text are left out; without any the transcript is empty.
    """
    lines = []
    for message in messages:
        metadata, text = message.get("response_metadata"), message_text(message)
        is_memo = isinstance(metadata, dict) and "navigation_message" in metadata
        speaker = _SPEAKERS.get(message_kind(message) or "")
        if text and speaker and not is_memo:
            lines.append(f"{speaker}: {text}")
    return "\n".join(lines)
