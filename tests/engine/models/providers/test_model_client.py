from __future__ import annotations

import logging
import socket
import threading
import time

import pytest

from debugger.engine.models.base import ModelError
from debugger.engine.models.providers import Keys
from debugger.errors import RunError
from tests.support.model_server import KEY, prompt, provider_model, said, serving


def fault(status, message="no"):
    return status, {"error": {"message": message, "type": "fault", "code": None}}


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_request_retries_with_growing_pauses(status):
    asker = provider_model()

    with serving(fault(status), fault(status), said("There you are.")) as server:
        reply = asker.reply(prompt(server.llm()))

    assert reply.text == "There you are."
    assert asker.pauses == [0.5, 1.0]


def test_request_waits_as_the_server_demands():
    asker = provider_model()

    def busy(handler):
        handler.send_response(429)
        handler.send_header("Retry-After", "3")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with serving(busy, said("There you are.")) as server:
        asker.reply(prompt(server.llm()))

    assert asker.pauses == [3.0]


def test_request_fails_after_its_retries():
    asker = provider_model()

    with (
        serving(fault(500, "out of tea")) as server,
        pytest.raises(ModelError, match=r"custom tea-1 at http://127.* answered with HTTP 500: out of tea$"),
    ):
        asker.reply(prompt(server.llm(max_retries=2)))

    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (fault(400, "bad tool"), "answered with HTTP 400: bad tool"),
        (fault(401, f"Incorrect key {KEY[:8]}"), r"refused the key \(HTTP 401\)$"),
        (fault(404, "no such model"), "answered with HTTP 404: no such model"),
        ((404, {"error": "no such model"}), "answered with HTTP 404: no such model"),
        ((422, {"detail": "no such field"}), "answered with HTTP 422: no such field"),
        ("{ this is no JSON", "gave an answer that cannot be read$"),
        ({"choices": []}, "cannot be read"),
    ],
)
def test_what_will_not_pass_fails_at_once(answer, words):
    asker = provider_model()

    with serving(answer) as server, pytest.raises(ModelError, match=words):
        asker.reply(prompt(server.llm(max_retries=1)))

    assert len(server.requests) == 1


@pytest.mark.parametrize("key", ["code", "type"])
def test_quota_used_up_is_not_retried(key):
    asker = provider_model()
    answer = 429, {"error": {"message": "You exceeded your quota", key: "insufficient_quota"}}

    with (
        serving(answer) as server,
        pytest.raises(ModelError, match=r"answered with HTTP 429: You exceeded your quota$"),
    ):
        asker.reply(prompt(server.llm(max_retries=3)))

    assert (len(server.requests), asker.pauses) == (1, [])


def test_failure_inside_an_answer_is_quoted():
    failed = {
        "id": "r",
        "object": "response",
        "created_at": 1,
        "model": "m",
        "output": [],
        "status": "failed",
    }
    answer = {**failed, "error": {"code": "server_error", "message": "out of tea"}}

    with serving(answer) as server, pytest.raises(ModelError, match=r"could not be called: .*out of tea"):
        provider_model().reply(prompt(server.llm(use_responses_api=True, max_retries=0)))


def test_page_of_a_proxy_is_not_quoted():
    with serving((502, "<html>bad</html>")) as server, pytest.raises(ModelError, match=r"HTTP 502$"):
        provider_model().reply(prompt(server.llm(max_retries=0)))


def test_a_server_that_is_too_slow_is_left():
    with serving(None) as server:
        server.answers[0] = server.late(said("At last."))
        with pytest.raises(ModelError, match=r"did not answer within 0.2 s$"):
            provider_model().reply(prompt(server.llm(request_timeout_ms=200, max_retries=0)))


def test_request_leaves_an_endless_answer():
    with serving(None) as server:

        def endless(handler):
            handler.send_response(200)
            handler.send_header("Content-Type", "application/json")
            handler.end_headers()
            while not server.released.wait(0.01):
                handler.wfile.write(b" " * 100)

        server.answers[0] = endless
        with pytest.raises(ModelError, match=r"did not answer within 0.3 s$"):
            provider_model().reply(prompt(server.llm(request_timeout_ms=300, max_retries=0)))


def test_request_rejects_a_huge_answer():
    def huge(handler):
        handler.send_response(200)
        handler.end_headers()
        for _ in range(200):
            handler.wfile.write(b" " * 100_000)

    with serving(huge) as server, pytest.raises(ModelError, match=r"larger than the limit, 8000000 bytes$"):
        provider_model().reply(prompt(server.llm()))

    assert len(server.requests) == 1


def test_an_answer_that_is_packed_is_not_unpacked():
    def packed(handler):
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.end_headers()

    with (
        serving(packed) as server,
        pytest.raises(ModelError, match=r"is compressed although this was not requested$"),
    ):
        provider_model().reply(prompt(server.llm()))

    assert server.headers[0]["accept-encoding"] == "identity"


def test_attempts_share_the_prompts_time():
    began = time.monotonic()

    with serving(None) as server:
        server.answers[0] = server.late(said("At last."))
        with pytest.raises(ModelError, match=r"there was no answer within 0.2 s$"):
            provider_model().reply(prompt(server.llm(), seconds=0.2))

    assert time.monotonic() - began < 5


def test_a_call_that_nobody_waits_for_is_stopped():
    given_up = threading.Event()

    with serving(None) as server:

        def answer(handler):
            given_up.set()
            server.late(said("At last."))(handler)

        server.answers[0] = answer
        with pytest.raises(ModelError, match="no longer needed"):
            provider_model().reply(prompt(server.llm(), given_up=given_up))


def test_missing_server_is_reported():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

    llm = {"type": "custom_llm", "model": "tea-1", "base_url": url, "max_retries": 1}
    asker = provider_model()

    with pytest.raises(ModelError, match=r"cannot be reached$"):
        asker.reply(prompt(llm))
    assert asker.pauses == [0.5]


@pytest.mark.parametrize(
    ("llm", "words"),
    [
        (None, "No language model is configured"),
        ({"type": "no_llm"}, "No language model is configured"),
        ({"type": "global_default_llm"}, "No language model is configured"),
        ({"type": "llm_group", "llms": []}, "has no members"),
        ({"type": "llm_group", "llms": 5}, "has no members"),
        ({"type": "llm_group_with_backchannel", "main_llm_config": "m"}, "No language model is configured"),
        ({"type": "custom_llm", "model": "m", "base_url": "http://[x"}, "'base_url' .* is not an address"),
        ({"type": "custom_llm", "model": "m", "base_url": "http://x:no"}, "'base_url' .* is not an address"),
        ({"type": "custom_llm", "model": "m", "base_url": "file:///etc"}, "'base_url' .* is not an address"),
        ({"type": "oracle"}, "'oracle', which does not exist"),
        ({"type": "custom_llm", "model": "m"}, "has no 'base_url'"),
        ({"type": "custom_llm", "base_url": "http://x"}, "has no 'model'"),
        ({"type": "openai_llm", "max_tokens": "many"}, "max_tokens: "),
        ({"type": "openai_llm", "request_timeout_ms": 0}, "request_timeout_ms: "),
        (
            {"type": "openai_llm", "default_headers": {"X City": "a"}},
            "'X City' cannot be the name of a header",
        ),
        ({"type": "openai_llm", "default_headers": {"X": "a\nb"}}, "header 'X' has a line break"),
        ({"type": "openai_llm", "default_headers": {"X": "Köln"}}, "header 'X' has a letter beyond ASCII"),
        ({"type": "openai_llm"}, "no key for the language model 'openai gpt-5.4-mini'.*OPENAI_API_KEY"),
        ({"type": "google_llm"}, "GEMINI_API_KEY"),
        ({"type": "anthropic_llm"}, "ANTHROPIC_API_KEY"),
        ({"type": "azure_openai_llm"}, "has no endpoint"),
        ({"type": "azure_openai_llm", "endpoint": "https://x.openai.azure.com"}, "AZURE_OPENAI_API_KEY"),
    ],
)
def test_wrong_configuration_ends_the_run(llm, words):
    with pytest.raises(RunError, match=words):
        provider_model({}).reply(prompt(llm))


def test_null_in_a_configuration_is_the_default():
    nulls = ("max_retries", "max_parse_retries", "model_kwargs", "thinking_budget", "verify_ssl")

    with serving(said("Hi")) as server:
        assert provider_model().reply(prompt(server.llm(**dict.fromkeys(nulls)))).text == "Hi"


def test_default_model_is_used_for_none():
    with serving(said("Hi")) as server:
        asker = provider_model(default_llm=server.llm())

        assert asker.reply(prompt(None)).text == "Hi"
        assert asker.reply(prompt({"type": "no_llm"})).text == "Hi"
        assert asker.remote(prompt(None)) == f"custom tea-1 at {server.url}/v1"


def test_target_hides_secrets_of_an_address():
    llm = {"type": "custom_llm", "model": "m", "base_url": "https://me:secret@models.example/v1?key=secret"}

    assert provider_model({}).remote(prompt(llm)) == "custom m at https://models.example/v1"


def test_the_key_is_sent_and_shows_nowhere(caplog):
    echo = fault(400, f"your key {KEY} in full")

    with caplog.at_level(logging.DEBUG), serving(said("Hi"), echo) as server:
        asker = provider_model(
            {
                "WORKFLOW_DEBUGGER_CUSTOM_LLM_API_KEY": KEY,
                "WORKFLOW_DEBUGGER_CUSTOM_LLM_BASE_URL": server.url,
            }
        )
        reply = asker.reply(prompt(server.llm()))
        with pytest.raises(ModelError) as caught:
            asker.reply(prompt(server.llm()))

    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert str(caught.value).endswith("HTTP 400: your key *** in full")
    assert caught.value.__cause__ is None
    shown = [reply, asker, caught.value, asker.remote(prompt(server.llm())), Keys({"OPENAI_API_KEY": KEY})]
    assert KEY not in caplog.text
    assert KEY not in " ".join(map(repr, shown))


def test_password_of_an_address_shows_nowhere(caplog):
    with caplog.at_level(logging.DEBUG), serving(said("Hi")) as server:
        url = server.url.replace("//", "//me:planted-password@")
        provider_model({}).reply(prompt(server.llm(base_url=url)))

    assert len(server.requests) == 1
    assert "planted-password" not in caplog.text


def test_key_in_workflow_is_not_used(caplog):
    with caplog.at_level(logging.DEBUG), serving(said("Hi")) as server:
        llm = server.llm(api_key="sk-of-the-workflow")
        reply = provider_model({}).reply(prompt(llm))

    assert "sk-of-the-workflow" not in str(server.headers) + caplog.text + repr(reply)
    assert reply.warnings == (
        "A language model's configuration holds a key, which is not used: keys come from the environment. "
        "Remove it from the workflow.",
    )


@pytest.mark.parametrize(
    "fields", [{"api_key": "k-77"}, {"default_headers": {"Authorization": "Bearer k-77"}}]
)
def test_unused_key_is_named_where_it_matters(fields):
    with serving(fault(401), said("Hi")) as server:
        llm = server.llm(**fields)
        with pytest.raises(
            ModelError, match=r"refused the key \(HTTP 401\); the one in the workflow is not used$"
        ):
            provider_model({}).reply(prompt(llm))
        reply = provider_model({}).reply(prompt(llm))

    assert "holds a key, which is not used" in reply.warnings[0]


def test_a_key_goes_only_where_it_belongs():
    keys = {
        "OPENAI_API_KEY": "sk-openai-0123456789",
        "WORKFLOW_DEBUGGER_CUSTOM_LLM_API_KEY": KEY,
        "WORKFLOW_DEBUGGER_CUSTOM_LLM_BASE_URL": "https://models.example/v1",
    }

    with serving(said("Hi")) as server:
        stranger = {"type": "openai_llm", "base_url": f"{server.url}/v1"}
        provider_model(keys).reply(prompt(stranger))
        provider_model(keys).reply(prompt(server.llm()))
        provider_model({**keys, "OPENAI_BASE_URL": server.url}).reply(prompt(stranger))

    sent = [headers["authorization"] for headers in server.headers]
    assert sent == ["Bearer no-key", "Bearer no-key", "Bearer sk-openai-0123456789"]


def test_private_model_needs_the_environment():
    with serving(said("Here."), said("Here.")) as server:
        llm = server.llm()
        own = {"WORKFLOW_DEBUGGER_CUSTOM_LLM_BASE_URL": llm["base_url"]}
        with pytest.raises(ModelError, match="this machine or of a private network"):
            provider_model(refuses_private=True).reply(prompt({**llm, "max_retries": 0}))
        for asker in (
            provider_model(own, refuses_private=True),
            provider_model(refuses_private=True, default_llm=llm),
        ):
            assert asker.reply(prompt(llm)).text == "Here."
