from __future__ import annotations

import pytest

from debugger.engine.models.base import ModelError
from debugger.errors import RunError
from tests.support.model_server import prompt, responder, said, serving


def group(*servers, **fields):
    llms = [server.llm(model=f"m{number}", max_retries=0) for number, server in enumerate(servers)]
    return {"type": "llm_group", "llms": llms, **fields}


def test_the_first_of_a_group_answers_alone_where_it_is_in_time():
    with serving(said("first")) as first, serving(said("second")) as second:
        reply = responder().reply(prompt(group(first, second)))

    assert reply.text == "first"
    assert second.requests == []


def test_the_rest_of_a_group_is_asked_where_the_first_is_late():
    with serving(None) as first, serving(said("second")) as second:
        first.answers[0] = first.late(said("first"))
        reply = responder().reply(prompt(group(first, second, min_patience_time_ms=50)))

    assert reply.text == "second"
    assert len(first.requests) == 1


def test_the_rest_of_a_group_is_asked_at_once_where_the_first_fails():
    with serving((400, {})) as first, serving(said("second")) as second:
        reply = responder().reply(prompt(group(first, second, min_patience_time_ms=60_000)))

    assert reply.text == "second"


def test_of_a_parallel_group_the_most_preferred_that_is_in_time_answers():
    with serving(said("first")) as first, serving(said("second")) as second:
        asked = group(first, second, operation_mode="parallel_select_one", min_patience_time_ms=60_000)
        reply = responder().reply(prompt(asked))

    assert reply.text == "first"
    assert len(second.requests) == 1


def test_of_a_parallel_group_the_one_that_is_in_time_answers():
    with serving(None) as first, serving(said("second")) as second:
        first.answers[0] = first.late(said("first"))
        asked = group(first, second, operation_mode="parallel_select_one", min_patience_time_ms=300)
        reply = responder().reply(prompt(asked))

    assert reply.text == "second"


@pytest.mark.parametrize("mode", ["sequential_with_proactive", "parallel_select_one"])
def test_a_group_is_given_up_when_its_patience_ends(mode):
    with serving(None) as first, serving(None) as second:
        first.answers[0], second.answers[0] = first.late(said("1")), second.late(said("2"))
        asked = group(first, second, operation_mode=mode, min_patience_time_ms=50, max_patience_time_ms=200)
        with pytest.raises(ModelError, match=r"m0 at .* \| custom m1 at .* did not answer within 0.2 s"):
            responder().reply(prompt(asked))

    assert len(first.requests) == len(second.requests) == 1


def test_a_group_of_which_all_fail_tells_why_of_each():
    with (
        serving((400, {})) as first,
        serving((404, {})) as second,
        pytest.raises(ModelError, match=r"HTTP 400; .*HTTP 404"),
    ):
        responder().reply(prompt(group(first, second)))


def test_a_member_without_a_key_is_passed_over_and_told_only_where_nobody_is_left():
    keyless = {"type": "openai_llm"}

    with serving(said("second")) as server:
        asked = {"type": "llm_group", "llms": [keyless, server.llm()]}
        reply = responder({}).reply(prompt(asked))

    assert reply.text == "second"
    with pytest.raises(RunError, match="OPENAI_API_KEY"):
        responder({}).reply(prompt({"type": "llm_group", "llms": [keyless, keyless]}))


def test_the_group_inside_a_backchannel_is_the_one_that_answers():
    with serving(said("first")) as server:
        asked = {"type": "llm_group_with_backchannel", "main_llm_config": group(server)}

        assert responder().reply(prompt(asked)).text == "first"
