"""Generated runs with a model server and an HTTP service, recorded and played again without sockets."""

from __future__ import annotations

import json
import random
import time

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.environment import Environment
from debugger.engine.inspection import RunInspector
from debugger.engine.mocks.interceptor import Interceptor
from debugger.engine.mocks.recording import CallRecorder
from debugger.engine.mocks.recording_file import Recording
from debugger.errors import InputError, RunEndedError
from debugger.protocol.runs import TurnInput
from debugger.replays.replayer import Replayer
from debugger.settings import Settings
from tests.support.generated import generate
from tests.support.http_server import HttpServer
from tests.support.model_server import KEY, said, send, serving
from tests.support.no_sockets import no_sockets
from tests.support.replays import Clock, without_ids

REFUSED = (400, {"error": {"message": "not that", "type": "invalid_request", "code": "content_filter"}})
BUSY = (429, {"error": {"message": "slow down", "type": "rate", "code": None}})
LIVE = {f"outbound_{name}": "live" for name in ("talk", "read", "write")}


def filled(schema, chance):
    """Arguments that fit a schema, more or less."""
    made = {"integer": 3, "number": 2.5, "boolean": True, "array": [], "object": {}}
    properties = (schema or {}).get("properties") or {}
    return {
        name: made.get(each.get("type"), chance.choice(["tea", "Ulm"])) for name, each in properties.items()
    }


class Chance:
    """Answers of a model server by chance, to what a request offers."""

    def __init__(self, seed, slowest):
        self.chance = random.Random(seed)
        self.slowest = slowest
        self.server = None

    def __call__(self, handler):
        chance, asked = self.chance, self.server.requests[-1]
        tools = [each["function"] for each in asked.get("tools") or ()]
        kind = chance.random()
        if kind < 0.06:
            return send(handler, *BUSY)
        if kind < 0.1:
            return send(handler, *REFUSED)
        if kind < 0.13 and self.slowest:
            time.sleep(self.slowest)
        calls = [(each["name"], filled(each.get("parameters"), chance)) for each in tools]
        wanted = (asked.get("response_format") or {}).get("json_schema")
        if wanted is not None:
            return send(handler, 200, said(json.dumps(filled(wanted["schema"], chance))))
        if calls and (asked.get("tool_choice") == "required" or kind < 0.6):
            return send(handler, 200, said("Let me see.", *chance.sample(calls, min(len(calls), 2))))
        return send(
            handler, 200, said(f"Answer {chance.randint(1, 99)}.", finish=chance.choice(["stop", "length"]))
        )


def with_servers(made, http):
    """A generated workflow whose requests go to a server."""
    text = json.dumps(made).replace("https://example.invalid", http.url)
    return json.loads(text)


def backend_of(models, clock, **options):
    settings = Settings(
        database="sqlite://",
        responder="model",
        default_model=f"custom_llm tea-1 {models.url}/v1" if models else "",
        **LIVE,
    )
    return EmbeddedBackend(settings, world=Environment(now=clock.now, sleep=clock.sleep), **options)


def converse(backend, workflow_id, texts, recorder):
    """The events of a run, and its id."""
    result, events = None, []
    for text in [None, *texts]:
        given = TurnInput.with_message(text, command="data" if result else "start")
        inspector = RunInspector(Interceptor(recorder=recorder))
        try:
            stream = backend.execute(
                workflow_id, given, run_id=result.run_id if result else None, inspector=inspector
            )
            events += [json.loads(json.dumps(event.to_wire())) for event in stream]
        except (InputError, RunEndedError):
            break
        result = stream.finish()
    return result.run_id, events


@pytest.mark.parametrize(
    "seeds", [range(2), pytest.param(range(2, 32), marks=pytest.mark.campaign)], ids=["2", "30"]
)
def test_runs_play_without_a_request(seeds, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    verdicts, asked = [], 0
    for seed in seeds:
        made, texts = generate(seed)
        texts = [text for text in texts if not text.startswith("/")]
        answer = Chance(seed, 3 if seed == 5 else 0)
        with HttpServer(ulm=lambda to: to.send_json({"n": 1})) as http, serving(answer) as models:
            answer.server = models
            made = with_servers(made, http)
            backend = backend_of(models, Clock())
            workflow_id = backend.create_workflow(made).id
            recorder = CallRecorder()
            run_id, events = converse(backend, workflow_id, texts, recorder)
            asked += len(models.requests) + len(http.received)

        text = Recording.of_run(recorder).to_text()
        player = Recording.of_text(text, "file").player()
        again = backend_of(None, Clock())
        with no_sockets():
            _, played = converse(again, again.create_workflow(made).id, texts, player)
            found = Replayer(backend, workflow_id, 0, options=backend.engine_options).replay(run_id)

        assert without_ids(played) == without_ids(events), seed
        assert player.misses == []
        assert KEY not in text
        verdicts.append((seed, found.verdict, found.text))

    assert asked > len(seeds)
    # No event has which condition it was that a judge gave no verdict on.
    assert [each for each in verdicts if each[1] != "same" and "(judge " not in each[2]] == []
