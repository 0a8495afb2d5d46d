from __future__ import annotations

from itertools import pairwise

import pytest

from debugger.engine.models.base import ModelError, Reply
from debugger.engine.nodes.connectors.end_conversation import EndConversationNode, transcript_of
from debugger.protocol.messages import ai_message, human_message
from debugger.protocol.workflow import NodeConfig
from tests.support.connector_run import ConnectorRun
from tests.support.factories import direct, node, say, static

PROMPT = {"prompt": "Summarise for {{reader}}: [[raw_conversation_transcript]]"}


class Writer:
    """Answers what a test wants, and remembers what it was asked."""

    def __init__(self, text: str = "", failure: str | None = None) -> None:
        self.text, self.failure, self.prompts = text, failure, []

    def reply(self, prompt):
        self.prompts.append(prompt)
        if prompt.node_logical_id != "end":
            return Reply(text=f"You said: {prompt.message}")
        if self.failure is not None:
            raise ModelError(self.failure)
        return Reply(text=self.text)


def play(monkeypatch, *parts, model=None, defaults=None, **fields):
    """A run whose last node but one processes the transcript; the last one speaks."""
    chain = [*parts, node("end", "end_conversation", **fields), static("done", "Done.")]
    edges = [direct(a["logical_id"], b["logical_id"]) for a, b in pairwise(chain)]
    types = {"end_conversation": EndConversationNode}
    return ConnectorRun(monkeypatch, types, *chain, *edges, model=model, defaults=defaults or {})


def test_node_emits_one_event_and_run_continues(monkeypatch):
    run = play(monkeypatch, process_transcript_prompt=PROMPT, model=Writer("Short."))

    types = run.turn(raw_conversation_transcript="User: Hi")

    assert [name for name in types if name != "workflow_warning"][2:7] == [
        "start_node_run",
        "end_conversation",
        "end_node_run",
        "workflow_show_state",
        "direct_edge",
    ]
    assert run.one("end_conversation")["processed_transcript"] == "Short."
    assert run.output == {}
    assert run.one("assistant_response")["content"] == "Done."


def test_model_reads_transcript_and_filled_prompt(monkeypatch):
    writer = Writer("Short.")
    run = play(monkeypatch, process_transcript_prompt=PROMPT, model=writer, defaults={"reader": "the doctor"})

    run.turn(raw_conversation_transcript="User: Hi")

    (prompt,) = writer.prompts
    assert prompt.kind == "work"
    assert prompt.system == "Summarise for the doctor: User: Hi"
    assert prompt.message == "User: Hi"
    assert run.variables == {
        "processed_transcript": "Short.",
        "processed_transcript_success": True,
        "processed_transcript_error": None,
    }
    assert run.state.main.runtime_variables["end.processed_transcript"] == "Short."


def test_missing_transcript_is_chat_without_memos(monkeypatch):
    writer = Writer()
    run = play(
        monkeypatch,
        static("hello", "Hello."),
        say("chat", self_loop=False),
        process_transcript_prompt=PROMPT,
        model=writer,
    )

    run.turn()
    run.turn("I need tea")

    built = "Assistant: Hello.\nUser: I need tea\nAssistant: You said: I need tea"
    assert run.variables["raw_conversation_transcript"] == built
    assert writer.prompts[-1].message == built
    assert "Assistant: Hello." in writer.prompts[-1].system


@pytest.mark.parametrize(
    "fields",
    [
        {"process_transcript_prompt": PROMPT},
        {},
        {"process_transcript_prompt": {"prompt": None}},
        {"process_transcript_prompt": PROMPT, "process_transcript_llms_config": {"type": "no_llm"}},
    ],
    ids=["nothing said", "no prompt", "empty prompt", "no model"],
)
def test_missing_text_gives_raw_transcript(monkeypatch, fields):
    run = play(monkeypatch, model=Writer(), **fields)

    run.turn(raw_conversation_transcript="User: Hi")

    assert run.one("end_conversation")["processed_transcript"] == "User: Hi"
    assert run.variables["processed_transcript"] == "User: Hi"
    assert run.variables["processed_transcript_success"] is True


def test_rule_model_leaves_transcript_unchanged(monkeypatch):
    run = play(monkeypatch, process_transcript_prompt=PROMPT)

    run.turn(raw_conversation_transcript="User: Hi")

    assert run.variables["processed_transcript"] == "User: Hi"


def test_a_node_with_no_model_asks_nobody(monkeypatch):
    writer = Writer("Never.")
    run = play(
        monkeypatch,
        process_transcript_prompt=PROMPT,
        process_transcript_llms_config={"type": "no_llm"},
        model=writer,
    )

    run.turn(raw_conversation_transcript="User: Hi")

    assert writer.prompts == []


def test_failing_model_does_not_end_run(monkeypatch):
    run = play(monkeypatch, process_transcript_prompt=PROMPT, model=Writer(failure="It timed out."))

    run.turn(raw_conversation_transcript="User: Hi")

    assert run.one("end_conversation")["processed_transcript"] is None
    assert run.variables["processed_transcript_success"] is False
    assert "It timed out." in run.variables["processed_transcript_error"]
    assert run.end.status == "completed"


def test_model_is_nodes_else_workflows(monkeypatch):
    own, shared = {"type": "openai_llm", "model": "one"}, {"type": "google_llm", "model": "two"}
    writer = Writer()
    types = {"end_conversation": EndConversationNode}

    for chosen in (own, {"type": "global_default_llm"}, None):
        part = node(
            "end",
            "end_conversation",
            process_transcript_prompt=PROMPT,
            process_transcript_llms_config=chosen,
        )
        ConnectorRun(monkeypatch, types, part, model=writer, llms_config=shared).turn()

    assert [prompt.llm["model"] for prompt in writer.prompts] == ["one", "two", "two"]


def test_model_key_is_never_shown(monkeypatch):
    writer = Writer()
    model = {"type": "openai_llm", "model": "one", "api_key": "k3y"}
    run = play(
        monkeypatch,
        process_transcript_prompt=PROMPT,
        process_transcript_llms_config=model,
        model=writer,
    )

    run.turn()

    built = EndConversationNode(NodeConfig.from_wire(node("end", "x", process_transcript_llms_config=model)))
    assert "k3y" not in repr(built.config) + repr(writer.prompts[-1]) + repr(run.wire)


def test_built_transcript_is_rebuilt_after_more_chat(monkeypatch):
    run = ConnectorRun(
        monkeypatch,
        {"end_conversation": EndConversationNode},
        say("chat", self_loop=False),
        node("end", "end_conversation"),
        direct("chat", "end"),
        direct("end", "chat"),
        model=Writer(),
    )

    run.turn("one")
    run.turn("two")

    assert run.variables["processed_transcript"].count("User: ") == 2


def test_structured_transcript_is_read_as_json(monkeypatch):
    run = play(monkeypatch)

    run.turn(raw_conversation_transcript=[{"speaker": "user", "text": "Hi"}])

    assert run.variables["processed_transcript"] == '[{"speaker":"user","text":"Hi"}]'


def test_transcript_has_user_and_assistant_only():
    memo = ai_message("went on", message_id="m", response_metadata={"navigation_message": "true"})
    messages = [
        human_message("Hi"),
        memo,
        {"type": "system", "content": "Be kind."},
        ai_message("", message_id="silent"),
        {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]},
    ]

    assert transcript_of(messages) == "User: Hi\nAssistant: Hello"
