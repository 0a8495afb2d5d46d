from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace

import pytest

from debugger.analysis.decisions import DecisionLog
from debugger.analysis.variable_history import VariableHistory
from debugger.analysis.variables import Snapshots
from debugger.backends import open_embedded
from debugger.backends.embedded import model_selection
from debugger.engine.models import HeuristicModel, Reply
from debugger.engine.models.base import DiscardedAnswer, ModelError, ToolCall
from debugger.engine.super_nodes import expand
from debugger.errors import RunError
from debugger.expressions import ABSENT
from debugger.graph import Graph
from debugger.protocol.runs import TurnInput
from debugger.session.past_prompts import is_model_call, past_prompt
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.clinic import CALL
from tests.support.factories import direct, document, everywhere, say, static, tool, when, worker
from tests.support.timelines import build_timeline

LOOKUP = {
    "type": "inline_python",
    "name": "look_up",
    "signature": "Looks up {{thing}}.",
    "args_schema": {"type": "object", "properties": {"q": {"type": "string"}}},
    "code": "def look_up(q):\n    return q\n",
}


class Spy:
    """A model that remembers its prompts, and what it reads of the chat."""

    def __init__(self, model):
        self.model = model
        self.seen = []

    def reply(self, prompt):
        said = list(prompt.history())
        self.seen.append(replace(prompt, history=lambda: said, variables=dict(prompt.variables)))
        return self.model.reply(prompt)


@pytest.fixture
def play(monkeypatch):
    """Runs a workflow; returns the prompts that the model got and the session."""

    backends = ExitStack()

    def played(workflow, *lines, model=None, run_input=None):
        spies = []

        def spied(*args, **kwargs):
            spies.append(Spy(model or model_selection.model_for(*args, **kwargs)))
            return spies[-1]

        monkeypatch.setattr("debugger.backends.embedded.backend.model_for", spied)
        backend = open_embedded(Settings(database="sqlite://", responder="scripted"))
        backends.enter_context(closing(backend))
        found = backend.create_workflow(workflow) if isinstance(workflow, dict) else None
        workflow_id = found.id if found else backend.workflows(workflow)[0].id
        session = DebugSession(backend, workflow_id)
        session.start(run_input or TurnInput.with_message(None))
        assert session.wait(10)
        for line in lines:
            session.send(line)
            assert session.wait(10)
        assert session.error is None
        return [prompt for spy in spies for prompt in spy.seen], session

    with backends:
        yield played


def rebuilt(session):
    """Return the prompts of all model calls of a session, from its events alone."""
    turns = session.turns
    workflow = expand(session.workflow, session.backend.workflow).workflow
    moments = session.index.variables()
    moments.catch_up(turns)
    history = VariableHistory(moments).catch_up()
    log = DecisionLog(Graph(workflow)).catch_up(turns)
    rows = [row for row in build_timeline(turns) if is_model_call(turns[row.place].events[row.position])]
    return [past_prompt(turns, row, workflow, moments, history, log) for row in rows]


def sent(prompt):
    """Return the parts of a prompt that a model gets."""
    return (
        prompt.kind,
        prompt.node_logical_id,
        prompt.system,
        prompt.message,
        list(prompt.history()),
        prompt.choices,
        prompt.tools,
        prompt.exchange,
        prompt.schema,
        prompt.llm,
    )


def check(prompts, session):
    found = rebuilt(session)
    assert [sent(each.prompt) for each in found] == [sent(prompt) for prompt in prompts]
    return found


def test_past_prompts_are_those_sent(play):
    prompts, session = play("Clinic front desk", *CALL)

    found = check(prompts, session)

    assert len(found) > 8


def test_past_prompt_has_variables_of_its_turn(play):
    talk = say("chat", "It is {{now}} in {{city}} for [[who]], not [[nobody]].", self_loop=True)
    prompts, session = play(
        document(talk, defaults={"city": "Kiel"}),
        "One",
        "Two",
        run_input=TurnInput(runtime_variables={"who": "Ada"}),
    )

    found = check(prompts, session)

    assert [each.source for each in found[0].placeholders] == [
        "System",
        "Default of the workflow",
        "Run input",
        "No value: stays as written",
    ]
    assert found[0].placeholders[2].value == "Ada"
    assert found[0].placeholders[3].value is ABSENT
    assert "{{" not in found[0].prompt.system


def test_past_prompt_names_turn_that_set_variable(play):
    find = tool("find", "def find():\n    return 'Kiel'\n", result_runtime_variable_name="city")
    talk = say("chat", "City: [[city]]", self_loop=True)
    prompts, session = play(document(find, talk, direct("find", "chat")), "Hello")

    found = check(prompts, session)

    assert [each.source for each in found[0].placeholders] == ["Runtime, set in turn 1"]
    assert found[0].prompt.system == "City: Kiel"


@pytest.mark.parametrize(
    "settings",
    [{"type": "companion"}, {"companion_thread_config": {"is_companion_thread": True, "thread_id": "n"}}],
)
def test_past_prompts_of_companions_are_those_sent(play, settings):
    city = {"city": {"type": "string"}}
    beside = {**direct("chat", "notes"), **settings}
    edge = when("chat", "done", freeform="is done")
    workflow = document(
        say("chat", "Talk.", self_loop=True), worker("notes", city), static("done", "Bye"), beside, edge
    )
    prompts, session = play(workflow, "I live in Kiel", "So I do")

    found = check(prompts, session)

    assert {each.prompt.node_logical_id for each in found} == {"chat", "notes"}


def test_past_prompts_of_super_nodes_are_those_sent(play):
    prompts, session = play("Lab results", "Hello", "Ada Moreno", "1990-03-03", "Yes")

    assert check(prompts, session)


class Caller:
    """A model that calls a tool, twice with a text, then answers."""

    def __init__(self):
        self.inner = HeuristicModel()

    def reply(self, prompt):
        if prompt.tools and len(prompt.exchange) < 4:
            return Reply("Let me see.", calls=(ToolCall("look_up", {"q": "tea"}),))
        return Reply("Here it is.")


@pytest.mark.parametrize("is_silent", [False, True])
def test_past_prompt_has_calls_and_results(play, is_silent):
    talk = say(
        "chat",
        "Sell {{thing}}.",
        tools_config={"tools": [LOOKUP]},
        max_consecutive_tool_calls=3,
        ignore_content_received_during_llm_tool_call_specification=is_silent,
    )
    prompts, session = play(document(talk, defaults={"thing": "tea"}), "Hello", model=Caller())

    found = check(prompts, session)

    assert [len(each.prompt.exchange) for each in found] == [0, 2, 4]
    assert found[0].prompt.tools[0].signature == "Looks up tea."
    roles = [message["role"] for message in found[2].call["messages"]]
    assert roles[-4:] == ["assistant", "tool", "assistant", "tool"]


def test_past_prompt_of_judge_is_that_sent(play):
    workflow = document(
        static("hello", "Hi"),
        say("chat", "Talk about {{thing}}.", self_loop=True),
        say("help", "Help.", global_node_config=everywhere("asks for {{thing}}", "is done")),
        direct("hello", "chat"),
        defaults={"thing": "help"},
        global_condition_evaluation_method="independent_llm_evaluations",
    )
    prompts, session = play(workflow, "I need help", "Thanks, that is done", "Bye")

    found = check(prompts, session)

    judged = next(each for each in found if each.prompt.kind == "judge")
    assert judged.prompt.system == "asks for help"
    assert judged.call["messages"][0]["content"].endswith("Condition: asks for help")


class Undecided:
    """A model whose verdicts are of no use."""

    def reply(self, prompt):
        if prompt.kind != "judge":
            return Reply(text="Hello.")
        failure = ModelError("no verdict")
        failure.discarded = (DiscardedAnswer("it gave no verdict", {"prompt_tokens": 3}),)
        raise failure


def test_past_prompt_of_discarded_verdict_is_that_sent(play):
    workflow = document(
        say("chat", "Talk.", self_loop=True),
        say("help", "Help.", global_node_config=everywhere("asks for help", "is done")),
        global_condition_evaluation_method="independent_llm_evaluations",
    )
    prompts, session = play(workflow, "I need help", model=Undecided())

    found = check(prompts, session)

    assert {each.prompt.kind for each in found} == {"judge", "say"}


def test_past_prompt_after_node_without_model_is_that_sent(play):
    code = "def count():\n    return 3\n"
    edges = [when("count", "yes", freeform="the result [[n]] is three"), when("count", "no", "1 == 1")]
    workflow = document(
        tool("count", code, result_runtime_variable_name="n"), static("yes", "Y"), static("no", "N"), *edges
    )
    prompts, session = play(workflow)

    found = check(prompts, session)

    assert [each.prompt.system for each in found] == ["the result 3 is three"]


def test_past_prompt_without_its_node_is_refused(play):
    _, session = play(document(say("chat", self_loop=True)), "Hello")
    moments = Snapshots().catch_up(session.turns)
    row = next(row for row in build_timeline(session.turns) if row.type == "say_llm")
    other = Graph(session.workflow).workflow.model_copy(update={"node_configs": []})

    history, log = VariableHistory(moments).catch_up(), DecisionLog(Graph(other))
    with pytest.raises(RunError, match="does not have the node 'chat'"):
        past_prompt(session.turns, row, other, moments, history, log)
