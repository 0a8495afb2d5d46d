from __future__ import annotations

import sys
import time

import pytest

from debugger.engine.models.base import ModelError
from debugger.engine.models.invoke import backchannel_of
from debugger.errors import RunError
from tests.support.model_server import prompt, provider_model, said, send, serving


def group(*servers, **fields):
    llms = [server.llm(model=f"m{number}", max_retries=0) for number, server in enumerate(servers)]
    return {"type": "llm_group", "llms": llms, **fields}


def test_group_uses_its_first_in_time():
    with serving(said("first")) as first, serving(said("second")) as second:
        reply = provider_model().reply(prompt(group(first, second)))

    assert reply.text == "first"
    assert second.requests == []


def test_import_of_package_takes_no_patience(monkeypatch):
    class SlowFinder:
        def find_spec(self, name, *_):
            if name == "pydantic_ai.providers.openai":
                time.sleep(1.2)

    def answer(handler):
        time.sleep(0.3)
        send(handler, 200, said("first"))

    with serving(answer) as first, serving(said("second")) as second:
        provider_model().reply(prompt(first.llm()))
        monkeypatch.delitem(sys.modules, "pydantic_ai.providers.openai")
        monkeypatch.setattr(sys, "meta_path", [SlowFinder(), *sys.meta_path])
        provider_model().reply(prompt(group(first, second, min_patience_time_ms=1000)))

    assert (len(first.requests), second.requests) == (2, [])


def test_group_calls_the_rest_when_late():
    with serving(None) as first, serving(said("second")) as second:
        first.answers[0] = first.late(said("first"))
        reply = provider_model().reply(prompt(group(first, second, min_patience_time_ms=50)))

    assert reply.text == "second"
    assert len(first.requests) == 1


def test_group_calls_the_rest_on_failure():
    with serving((400, {})) as first, serving(said("second")) as second:
        reply = provider_model().reply(prompt(group(first, second, min_patience_time_ms=60_000)))

    assert reply.text == "second"


def test_parallel_group_prefers_its_first_in_time():
    with serving(said("first")) as first, serving(said("second")) as second:
        asked = group(first, second, operation_mode="parallel_select_one", min_patience_time_ms=60_000)
        reply = provider_model().reply(prompt(asked))

    assert reply.text == "first"
    assert len(second.requests) == 1


def test_parallel_group_uses_any_in_time():
    with serving(None) as first, serving(said("second")) as second:
        first.answers[0] = first.late(said("first"))
        asked = group(first, second, operation_mode="parallel_select_one", min_patience_time_ms=300)
        reply = provider_model().reply(prompt(asked))

    assert reply.text == "second"


@pytest.mark.parametrize("mode", ["sequential_with_proactive", "parallel_select_one"])
def test_group_fails_when_patience_ends(mode):
    with serving(None) as first, serving(None) as second:
        first.answers[0], second.answers[0] = first.late(said("1")), second.late(said("2"))
        asked = group(first, second, operation_mode=mode, min_patience_time_ms=50, max_patience_time_ms=200)
        with pytest.raises(ModelError, match=r"m0 at .* \| custom m1 at .* did not answer within 0.2 s"):
            provider_model().reply(prompt(asked))

    assert len(first.requests) == len(second.requests) == 1


def test_group_maximum_patience_precedes_its_minimum():
    with serving(None) as first, serving(None) as second:
        first.answers[0], second.answers[0] = first.late(said("1")), second.late(said("2"))
        started = time.monotonic()
        with pytest.raises(ModelError, match=r"did not answer within 0.2 s"):
            provider_model().reply(
                prompt(group(first, second, min_patience_time_ms=60_000, max_patience_time_ms=200))
            )

    assert time.monotonic() - started < 5


@pytest.mark.parametrize("patience", [10**400, -5])
def test_group_takes_any_number_as_patience(patience):
    with serving((400, {})) as first, serving(said("second")) as second:
        llm = group(first, second, min_patience_time_ms=patience)
        assert provider_model().reply(prompt(llm)).text == "second"
        filled = {"type": "llm_group_with_backchannel", "main_llm_config": llm}
        assert 0 <= backchannel_of({**filled, "backchannel_min_patience_time_ms": patience}).patience <= 180


def test_group_failure_names_each_reason():
    with (
        serving((400, {})) as first,
        serving((404, {})) as second,
        pytest.raises(ModelError, match=r"HTTP 400; .*HTTP 404"),
    ):
        provider_model().reply(prompt(group(first, second)))


def test_group_passes_over_members_without_key():
    keyless = {"type": "openai_llm"}

    with serving(said("second")) as server:
        asked = {"type": "llm_group", "llms": [keyless, server.llm()]}
        reply = provider_model({}).reply(prompt(asked))

    assert reply.text == "second"
    with pytest.raises(RunError, match="OPENAI_API_KEY"):
        provider_model({}).reply(prompt({"type": "llm_group", "llms": [keyless, keyless]}))


def test_backchannels_inner_group_answers():
    with serving(said("first")) as server:
        asked = {"type": "llm_group_with_backchannel", "main_llm_config": group(server)}

        assert provider_model().reply(prompt(asked)).text == "first"
