from __future__ import annotations

import re
import threading
import time
from dataclasses import replace

import pytest

from debugger.engine.environment import Environment
from debugger.engine.models.base import ModelError, RemoteModel, Reply, ToolSpec
from debugger.engine.models.heuristic import HeuristicModel
from debugger.engine.models.invoke import invoke
from debugger.engine.outbound.gateway import LiveGateway, Policies, RecordedAnswer
from debugger.errors import RunError
from tests.support.model_server import KEY, prompt, provider_model, said, send, serving
from tests.support.recorded import answering


class Slow:
    """Answers once it is released."""

    def __init__(self, text="At last."):
        self.released = threading.Event()
        self.text = text

    def reply(self, _prompt):
        assert self.released.wait(10)
        return Reply(text=self.text)


def asked(asker, given, *, door=None, cancelled=None, timeout=None, spoken=None, on_filler=lambda: None):
    """The answer; what was spoken meanwhile is added to ``spoken``."""
    asking = invoke(
        asker,
        given,
        Environment(),
        outbound=door or LiveGateway(),
        cancelled=cancelled or threading.Event(),
        timeout=timeout,
    )
    while True:
        try:
            filler = next(asking)
        except StopIteration as stop:
            return stop.value
        spoken.append(filler)
        on_filler()


def backchannel(**fields):
    return {"type": "llm_group_with_backchannel", "backchannel_min_patience_time_ms": 20, **fields}


def test_local_model_bypasses_the_gateway():
    door = LiveGateway()

    answer = asked(HeuristicModel(), prompt(None), door=door)

    assert answer.usage["response_model"] == "built-in rules"
    assert answer.usage["provider"] == "embedded"
    assert answer.usage["total_tokens"] == 0
    assert not answer.usage["used_user_api_key"]
    assert door.ledger == []


def test_remote_model_passes_the_gateway():
    door = LiveGateway()

    with serving(said("Yes, we have.")) as server:
        given = prompt(server.llm(), tools=(ToolSpec("find", ""),))
        answer = asked(provider_model(), given, door=door)

    (entry,) = door.ledger
    assert answer.text == "Yes, we have."
    assert answer.usage["response_model"] == "tea-1-2026"
    assert type(answer.usage["response_latency_milliseconds"]) is int
    assert answer.usage["llm_response_id"].startswith("response_")
    assert (entry["kind"], entry["call_class"], entry["how"]) == ("model", "talk", "live")
    assert entry["target"] == f"custom tea-1 at {server.url}/v1"
    assert entry["request"] == {
        "kind": "say",
        "system_characters": 9,
        "messages": 1,
        "tools": ["find"],
        "hops": 0,
        "structured_output": False,
    }
    assert KEY not in repr(entry) + repr(answer)


def test_simulated_model_uses_the_fallback():
    with serving(said("never")) as server:
        answer = asked(provider_model({}), prompt(server.llm()), door=answering(Policies(talk="simulated")))

    assert answer.model == answer.usage["response_model"] == "built-in rules"
    assert server.requests == []


@pytest.mark.parametrize(
    ("kind", "body", "reply"),
    [
        ("say", "Recorded.", Reply(text="Recorded.", model="recorded")),
        ("work", {"tea": "Assam"}, Reply(fields={"tea": "Assam"}, model="recorded")),
    ],
)
def test_a_simulated_model_gives_what_a_person_recorded(kind, body, reply):
    recorded = RecordedAnswer(re.compile("openai"), body=body)
    door = answering(Policies(talk="simulated"), recorded)

    answer = asked(provider_model({}), prompt({"type": "openai_llm"}, kind=kind), door=door)

    assert replace(answer, usage={}) == reply
    assert answer.usage["response_model"] == "recorded"


def test_recorded_failure_of_model_is_one():
    recorded = RecordedAnswer(re.compile("openai"), status=503, body="Never said.")
    door = answering(Policies(talk="simulated"), recorded)

    with pytest.raises(ModelError, match="has the status 503"):
        asked(provider_model({}), prompt({"type": "openai_llm"}), door=door)


def test_a_blocked_model_gives_no_answer():
    with serving(said("never")) as server, pytest.raises(ModelError, match="was not called"):
        asked(provider_model(), prompt(server.llm()), door=LiveGateway(Policies(talk="blocked")))

    assert server.requests == []


def test_a_failure_keeps_its_reason_through_the_door():
    door = LiveGateway()

    with (
        serving((400, {"error": {"message": "bad tool"}})) as server,
        pytest.raises(ModelError, match=r"HTTP 400: bad tool$"),
    ):
        asked(provider_model(), prompt(server.llm()), door=door)

    assert door.ledger[0]["error"].endswith("HTTP 400: bad tool")


@pytest.mark.parametrize("llm", [None, {"type": "openai_llm"}])
def test_user_error_passes_the_gateway(llm):
    with pytest.raises(RunError):
        asked(provider_model({}), prompt(llm))


def test_cancelled_turn_waits_for_no_answer():
    cancelled = threading.Event()

    with serving(None) as server:

        def answer(handler):
            cancelled.set()
            server.late(said("At last."))(handler)

        server.answers[0] = answer
        with pytest.raises(ModelError, match="no longer needed"):
            asked(provider_model(), prompt(server.llm()), cancelled=cancelled)


def test_answer_has_the_runs_time():
    with serving(None) as server:
        server.answers[0] = server.late(said("At last."))
        with pytest.raises(ModelError, match=r"no answer within 0.2 s$"):
            asked(provider_model(), prompt(server.llm()), timeout=0.2)


def test_run_without_time_left_calls_no_model():
    with serving(said("never")) as server, pytest.raises(ModelError, match="no time is left"):
        asked(provider_model(), prompt(server.llm()), timeout=0.0)

    assert server.requests == []


def test_history_is_read_by_the_caller():
    read_by = []

    def history():
        read_by.append(threading.current_thread())
        return []

    with serving(said("Hi")) as server:
        asked(provider_model(), prompt(server.llm(), history=history))

    assert read_by == [threading.current_thread()]


def test_filler_precedes_the_rest():
    slow, spoken = Slow("One moment. <<REST>> Yes, we have."), []
    llm = backchannel(
        backchannel_static_responses=["Let me look."], non_backchannel_response_prefix="<<REST>>"
    )

    answer = asked(slow, prompt(llm), spoken=spoken, on_filler=slow.released.set)

    assert spoken == ["Let me look."]
    assert answer.text == "Yes, we have."


def test_filler_needs_a_late_answer():
    slow, spoken = Slow("One moment. <<REST>> Yes."), []
    slow.released.set()
    llm = backchannel(
        backchannel_static_responses=["Let me look."],
        non_backchannel_response_prefix="<<REST>>",
        backchannel_min_patience_time_ms=60_000,
    )

    answer = asked(slow, prompt(llm), spoken=spoken)

    assert spoken == []
    assert answer.text == "One moment. <<REST>> Yes."


def test_fillers_in_sequence_follow_node_runs():
    spoken = []
    llm = backchannel(
        backchannel_static_responses=["One.", "Two."],
        backchannel_static_responses_selection_mode="sequence",
    )

    for visit in (1, 2, 3):
        slow = Slow()
        asked(slow, prompt(llm, visit=visit), spoken=spoken, on_filler=slow.released.set)

    assert spoken == ["One.", "Two.", "One."]


def test_filler_can_have_its_own_model():
    spoken = []

    with serving(None) as main, serving(said("Hm, let me see.")) as quick:
        main.answers[0] = main.late(said("Yes."))
        llm = backchannel(main_llm_config=main.llm(), backchannel_llm_config=quick.llm())
        given = prompt(llm, backchannel="Fill the time.", tools=(ToolSpec("find", ""),))
        answer = asked(provider_model(), given, spoken=spoken, on_filler=main.released.set)

    assert spoken == ["Hm, let me see."]
    assert answer.text == "Yes."
    assert quick.requests[0]["messages"][0] == {"role": "system", "content": "Fill the time."}
    assert "tools" not in quick.requests[0]


def test_a_filler_that_fails_is_not_missed():
    spoken = []

    with serving(None) as main, serving(None) as quick:

        def refuse(handler):
            send(handler, 400, {})
            main.released.set()

        main.answers[0], quick.answers[0] = main.late(said("Yes.")), refuse
        llm = backchannel(main_llm_config=main.llm(), backchannel_llm_config=quick.llm())
        answer = asked(provider_model(), prompt(llm), spoken=spoken)

    assert (spoken, answer.text, len(quick.requests)) == ([], "Yes.", 1)


def test_late_filler_is_not_spoken():
    spoken = []

    with serving(None) as main, serving(None) as quick:

        def dawdle(handler):
            main.released.set()
            quick.late(said("Hm."))(handler)

        main.answers[0], quick.answers[0] = main.late(said("Yes.")), dawdle
        llm = backchannel(main_llm_config=main.llm(), backchannel_llm_config=quick.llm())
        answer = asked(provider_model(), prompt(llm), spoken=spoken)

    assert (spoken, answer.text, len(quick.requests)) == ([], "Yes.", 1)


class SlowToLoad(RemoteModel):
    """A model whose package takes long to load, and whose answer takes no time."""

    fallback = HeuristicModel()

    def remote(self, _prompt):
        return "slow tea-1"

    def prepare(self, _prompt):
        time.sleep(0.4)

    def reply(self, _prompt):
        return Reply(text="At last.")


def test_latency_and_time_limit_begin_after_loading(monkeypatch):
    monkeypatch.setattr("debugger.engine.models.invoke._GRACE", 0.0)
    door = LiveGateway()

    reply = asked(SlowToLoad(), prompt({"type": "custom_llm"}), door=door, timeout=0.2)

    assert reply.usage["response_latency_milliseconds"] < 200
    assert door.ledger[0]["duration_milliseconds"] < 200


def test_recorded_answer_that_no_model_can_give_is_passed_over():
    body, text = RecordedAnswer(re.compile("."), body={"a": 1}), RecordedAnswer(re.compile("."), body="Hi.")
    door = answering(Policies(talk="simulated"), body, text)

    answer = asked(provider_model({}), prompt({"type": "openai_llm"}, kind="say"), door=door)

    assert (answer.text, answer.model) == ("Hi.", "recorded")
