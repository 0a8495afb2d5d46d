from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from debugger.engine.models.base import ModelFailure, Prompt, Reply
from tests.engine.test_interpreter import HIDDEN, Play
from tests.factories import everywhere, say, static, worker


class Model:
    """Answers as a function says, and keeps what it was asked."""

    def __init__(self, answer: Callable[[Prompt], Reply]) -> None:
        self.answer = answer
        self.prompts: list[Prompt] = []

    def reply(self, prompt: Prompt) -> Reply:
        self.prompts.append(prompt)
        return self.answer(prompt)


def fails(text: str) -> Callable[[Prompt], Reply]:
    def answer(_prompt: Prompt) -> Reply:
        raise ModelFailure(text)

    return answer


def warnings(play: Play) -> list[str]:
    return [event.to_wire()["warning_message"] for event in play.events if event.type == "workflow_warning"]


def test_the_prompt_names_the_model_that_the_node_asks():
    model = Model(lambda _prompt: Reply(text="Hi."))
    play = Play(
        say("chat", llms_config={"type": "openai_llm", "model": "m", "api_key": "k"}), responder=model
    )

    play.turn("hi")

    assert model.prompts[0].llm == {"type": "openai_llm", "model": "m", "api_key": "***"}


def test_a_condition_is_judged_by_the_model_of_its_node():
    model = Model(lambda _prompt: Reply(text="Hi."))
    desk = static("desk", "Hi.", global_node_config=everywhere("wants", judged="independent_llm_evaluations"))
    play = Play(say("chat"), desk, responder=model, llms_config={"type": "google_llm"})

    play.turn("hi")

    assert [(prompt.kind, prompt.llm) for prompt in model.prompts] == [
        ("judge", {"type": "google_llm"}),
        ("say", {"type": "google_llm"}),
    ]


def test_the_prompt_of_a_filler_is_the_nodes_or_the_workflows():
    model = Model(lambda _prompt: Reply(text="Hi."))
    shared = {"prompt": "Bridge for {{who}}."}
    own = say("chat", backchannel_response_config={"prompt": "Hum."})

    for node in (own, say("chat")):
        play = Play(node, responder=model, backchannel_response_config=shared, defaults={"who": "Ada"})
        play.turn("hi")

    assert [prompt.backchannel for prompt in model.prompts] == ["Hum.", "Bridge for Ada."]


def test_a_filler_is_spoken_while_the_answer_is_late():
    late = threading.Event()

    def answer(_prompt: Prompt) -> Reply:
        late.wait(0.2)
        return Reply(text="Here it is.")

    group = {
        "type": "llm_group_with_backchannel",
        "backchannel_static_responses": ["Hm."],
        "backchannel_min_patience_time_ms": 1,
    }
    play = Play(say("chat", llms_config=group), responder=Model(answer), options=HIDDEN)

    types = play.turn("hi")

    assert types[1:5] == ["start_node_run", "assistant_response", "say_llm", "assistant_response"]
    filler = play.events[2].to_wire()
    assert (filler["content"], filler["response_metadata"]) == ("Hm.", {"message_type": "backchannel"})
    assert play.said() == ["Hm.", "Here it is."]


def test_why_a_model_failed_is_told_in_a_warning():
    play = Play(say("chat", default_error_message="Pardon?"), responder=Model(fails("it is shut.")))

    play.turn("hi")

    assert play.said() == ["Pardon?"]
    assert warnings(play) == ["The model of node 'Chat' gave no answer: it is shut."]


def test_a_node_without_a_default_error_message_says_nothing_when_its_model_fails():
    play = Play(say("chat", default_error_message=None), responder=Model(fails("")))

    play.turn("hi")

    assert play.said() == []
    assert warnings(play) == ["The model of node 'Chat' gave no answer."]


def test_a_model_that_fails_because_the_turn_was_stopped_is_no_failure():
    cancelled = threading.Event()

    def answer(_prompt: Prompt) -> Reply:
        cancelled.set()
        raise ModelFailure("nobody waits")

    play = Play(say("chat"), responder=Model(answer))

    play.turn("hi", cancelled=cancelled)

    assert (play.said(), warnings(play)) == ([], [])
    assert play.end.status == "cancelled"


def test_an_answer_that_was_to_be_thrown_away_anyway_may_fail():
    def answer(prompt: Prompt) -> Reply:
        if prompt.kind == "judge":
            return Reply(chosen=prompt.choices[0], reason="asked")
        raise ModelFailure

    desk = static("desk", "Hi.", global_node_config=everywhere("wants", judged="independent_llm_evaluations"))
    play = Play(say("chat"), desk, responder=Model(answer))

    types = play.turn("hi")

    assert play.said() == ["Hi."]
    assert "discarded_main_llm" not in types


def test_structured_output_that_never_fitted_says_the_default_message_and_sets_no_variable():
    schema = {"type": "object", "properties": {"size": {}}}
    node = say("chat", structured_output_schema=schema, default_error_message="Pardon?")
    reply = Reply(text="Noted.", fields={"size": 1}, fields_error="no attempt fitted")
    play = Play(node, responder=Model(lambda _prompt: reply))

    play.turn("hi", runtime_variables={"size": 7})

    assert play.said() == ["Noted.", "Pardon?"]
    assert play.one("end_node_run")["run_output"]["structured_output"] == {}
    assert play.one("workflow_show_state")["runtime_variables"] == {}
    assert warnings(play) == ["Node 'Chat' has no structured output: no attempt fitted"]


def test_keys_that_a_later_answer_lacks_keep_their_values():
    fields: list[dict[str, Any]] = [{"size": 1, "name": "Ada"}, {"size": 2}]
    play = Play(
        worker("facts", {"size": {}, "name": {}}, self_loop=True),
        responder=Model(lambda _prompt: Reply(fields=fields.pop(0))),
    )

    play.turn("1 for Ada")
    play.turn("2")

    shown = play.one("workflow_show_state")["runtime_variables"]
    assert (shown["size"], shown["name"]) == (2, "Ada")


def test_what_a_worker_says_is_not_spoken_even_if_it_fails():
    play = Play(worker("facts", self_loop=True), responder=Model(lambda _prompt: Reply(text="Psst.")))
    play.turn("hi")
    said = play.said()

    play.interpreter.responder.answer = fails("shut")
    play.turn("hi")

    assert said == play.said() == []
