from __future__ import annotations

import subprocess
import sys

import pytest

from debugger.engine.models.base import ModelError, ToolSpec, TransitionOption
from debugger.errors import RunError
from tests.support.model_server import KEY, prompt, provider_model, said, serving

ORDER = TransitionOption("edge_1", "the user orders tea", "order", "Order")
ANTHROPIC = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [{"type": "tool_use", "id": "t1", "name": "Destination_Node__order", "input": {}}],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 2},
}
GOOGLE_CALL = {"functionCall": {"name": "Destination_Node__order", "args": {}}}
GOOGLE = {
    "candidates": [{"content": {"role": "model", "parts": [GOOGLE_CALL]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5},
    "modelVersion": "gemini-x",
}
BEDROCK_CALL = {"toolUse": {"toolUseId": "t1", "name": "Destination_Node__order", "input": {}}}
BEDROCK = {
    "output": {"message": {"role": "assistant", "content": [BEDROCK_CALL]}},
    "stopReason": "tool_use",
    "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5},
    "metrics": {"latencyMs": 1},
}
OPENAI = said(None, ("Destination_Node__order", {}))


@pytest.mark.parametrize(
    ("llm", "package", "keys", "url", "answer", "path", "provider"),
    [
        (
            {"type": "openai_llm"},
            "openai",
            {"OPENAI_API_KEY": KEY},
            "OPENAI_BASE_URL",
            OPENAI,
            "/chat/completions",
            "openai",
        ),
        (
            {"type": "azure_openai_llm"},
            "openai",
            {"AZURE_OPENAI_API_KEY": KEY},
            "AZURE_OPENAI_ENDPOINT",
            OPENAI,
            "/openai/deployments/gpt-5-mini/chat/completions?api-version=2024-10-21",
            "azure_openai",
        ),
        (
            {"type": "anthropic_llm"},
            "anthropic",
            {"ANTHROPIC_API_KEY": KEY},
            "ANTHROPIC_BASE_URL",
            ANTHROPIC,
            "/v1/messages",
            "anthropic",
        ),
        (
            {"type": "google_llm"},
            "google.genai",
            {"GOOGLE_API_KEY": KEY},
            "GOOGLE_GEMINI_BASE_URL",
            GOOGLE,
            "/v1beta/models/gemini-3-flash-preview:generateContent",
            "google",
        ),
        (
            {"type": "bedrock_llm"},
            "boto3",
            {"AWS_ACCESS_KEY_ID": "AKIA0123456789", "AWS_SECRET_ACCESS_KEY": KEY},
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
            BEDROCK,
            "/model/zai.glm-4.7-flash/converse",
            "bedrock",
        ),
    ],
)
def test_every_provider_is_asked_its_own_way(llm, package, keys, url, answer, path, provider):
    pytest.importorskip(package)

    with serving(answer) as server:
        asker = provider_model({**keys, url: server.url})
        reply = asker.reply(prompt({**llm, "max_retries": 0}, choices=(ORDER,)))

    assert server.requests[0]["path"] == path
    assert reply.chosen is ORDER
    assert reply.usage["provider"] == provider
    assert reply.usage["total_tokens"] == (18 if answer is OPENAI else 5)
    assert KEY not in repr(reply)


def body(llm, answer=OPENAI):
    """Return the request body that a model's server receives."""
    urls = {}
    with serving(answer) as server:
        for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL"):
            urls[name] = server.url
        keys = {"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY, "GOOGLE_API_KEY": KEY}
        provider_model({**keys, **urls}).reply(prompt({**llm, "max_retries": 0}, choices=(ORDER,)))
    return {**server.requests[0], "organization": server.headers[0].get("openai-organization")}


def test_an_openai_model_thinks_little_unless_told_otherwise():
    assert body({"type": "openai_llm"})["reasoning_effort"] == "low"
    assert body({"type": "openai_llm", "reasoning_effort": "high"})["reasoning_effort"] == "high"
    assert "reasoning_effort" not in body({"type": "openai_llm", "model": "gpt-4o"})
    assert body({"type": "openai_llm", "model": "gpt-5.4-pro"})["reasoning_effort"] == "medium"


@pytest.mark.filterwarnings("ignore:Sampling parameters")
def test_temperature_is_omitted_for_some_models():
    assert "temperature" not in body({"type": "openai_llm", "temperature": 0.3})
    assert body({"type": "openai_llm", "model": "gpt-4o", "temperature": 0.3})["temperature"] == 0.3


def test_an_organization_is_sent_along():
    assert body({"type": "openai_llm", "organization": "org-tea"})["organization"] == "org-tea"


def test_query_of_base_url_is_sent():
    with serving(OPENAI) as server:
        llm = server.llm(base_url=f"{server.url}/v1?version=2&team=tea")
        provider_model({}).reply(prompt(llm, choices=(ORDER,)))

    assert server.requests[0]["path"] == "/v1/chat/completions?version=2&team=tea"


def test_environment_headers_stay_with_trusted_servers(monkeypatch):
    for name, value in {
        "OPENAI_ORG_ID": "org-own",
        "OPENAI_PROJECT_ID": "proj-own",
        "OPENAI_CUSTOM_HEADERS": "X-Gateway: gate-own",
    }.items():
        monkeypatch.setenv(name, value)

    with serving(OPENAI) as server:
        for llm in (server.llm(), {"type": "openai_llm", "base_url": server.url}):
            provider_model({}).reply(prompt(llm, choices=(ORDER,)))
        own = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.url}
        provider_model(own).reply(prompt({"type": "openai_llm"}, choices=(ORDER,)))

    sent = [[value for value in headers.values() if value.endswith("-own")] for headers in server.headers]
    assert sent[:2] == [[], []]
    assert sorted(sent[2]) == ["gate-own", "org-own", "proj-own"]


@pytest.mark.parametrize("status", [429, 503])
def test_bedrock_is_asked_once_per_attempt(status):
    pytest.importorskip("boto3")
    keys = {"AWS_ACCESS_KEY_ID": "AKIA0123456789", "AWS_SECRET_ACCESS_KEY": KEY}

    with serving((status, {"message": "busy"})) as server, pytest.raises(ModelError, match=f"HTTP {status}"):
        asker = provider_model({**keys, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": server.url})
        asker.reply(prompt({"type": "bedrock_llm", "max_retries": 1}))

    assert (len(server.requests), asker.pauses) == (2, [0.5])


def test_anthropic_gets_a_token_limit():
    pytest.importorskip("anthropic")

    plain = body({"type": "anthropic_llm"}, ANTHROPIC)
    thinking = body({"type": "anthropic_llm", "thinking_budget": 6000}, ANTHROPIC)

    assert (plain["max_tokens"], "thinking" in plain) == (4096, False)
    assert (thinking["max_tokens"], thinking["thinking"]["budget_tokens"]) == (10096, 6000)


def test_call_that_anthropic_cuts_off_fails():
    pytest.importorskip("anthropic")
    call = {"type": "tool_use", "id": "t1", "name": "cancel", "input": {}}
    keys = {"ANTHROPIC_API_KEY": KEY}

    with (
        serving({**ANTHROPIC, "content": [call], "stop_reason": "max_tokens"}) as server,
        pytest.raises(ModelError, match=r"because max_tokens were used up$"),
    ):
        asker = provider_model({**keys, "ANTHROPIC_BASE_URL": server.url})
        asker.reply(prompt({"type": "anthropic_llm"}, tools=(ToolSpec("cancel", "Cancels"),)))


def test_anthropic_model_without_budgets_thinks_adaptively():
    pytest.importorskip("anthropic")

    sent = body({"type": "anthropic_llm", "model": "claude-opus-4-7", "thinking_budget": 6000}, ANTHROPIC)

    assert sent["thinking"] == {"type": "adaptive"}


def test_google_gets_its_thinking_budget():
    pytest.importorskip("google.genai")

    sent = body({"type": "google_llm", "thinking_budget": 100, "temperature": 0.2}, GOOGLE)

    assert sent["generationConfig"]["thinkingConfig"] == {"thinking_budget": 100}
    assert sent["generationConfig"]["temperature"] == 0.2


def test_missing_package_names_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydantic_ai.models.anthropic", None)

    with pytest.raises(RunError, match="'anthropic' needs a package"):
        provider_model({"ANTHROPIC_API_KEY": KEY}).reply(prompt({"type": "anthropic_llm"}))


@pytest.mark.parametrize(
    ("llm", "package", "answer"),
    [
        ({"type": "openai_llm"}, "openai", OPENAI),
        ({"type": "openai_llm", "use_responses_api": True}, "openai", OPENAI),
        ({"type": "anthropic_llm"}, "anthropic", ANTHROPIC),
        ({"type": "google_llm"}, "google.genai", GOOGLE),
    ],
)
def test_first_request_imports_no_package(llm, package, answer):
    pytest.importorskip(package)
    code = f"""
import sys, time
from debugger.engine.models.base import ModelError
from tests.support.model_server import prompt, provider_model, serving

with serving({answer!r}) as server:
    urls = dict.fromkeys(("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL"), server.url)
    keys = dict.fromkeys(("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY"), "k")
    asker, asked = provider_model({{**keys, **urls}}), prompt({{**{llm!r}, "max_retries": 0}})
    asker.prepare(asked)
    before = set(sys.modules)
    try:
        asker.reply(asked)
    except ModelError:
        pass
    names = {{"openai", "anthropic", "google", "pydantic_ai", "httpx2", "debugger"}}
    late = sorted(name for name in set(sys.modules) - before if name.split(".")[0] in names)
    print(len(server.requests), late)
"""

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "1 []\n"
