"""An OpenAI-compatible server on a socket, and clients of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from debugger.engine.environment import Environment
from debugger.engine.models.base import Prompt
from debugger.engine.models.heuristic import HeuristicModel
from debugger.engine.models.providers import Keys, ProviderModel

Json = dict[str, Any]
KEY = "sk-planted-key-0123456789"


class Server:
    """Server of one answer per request; the last one repeats.

    An answer is a JSON body, a pair of status and body, or a function of the handler.
    """

    def __init__(self, answers: tuple[Any, ...]) -> None:
        self.answers = list(answers)
        self.requests: list[Json] = []
        self.headers: list[dict[str, str]] = []
        self.released = threading.Event()
        self.lock = threading.Lock()
        self.url = ""

    def next_answer(self) -> Any:
        """The answer to the request that was just recorded."""
        return self.answers[min(len(self.requests), len(self.answers)) - 1]

    def llm(self, **fields: Any) -> Json:
        """The configuration of a model here."""
        return {"type": "custom_llm", "model": "tea-1", "base_url": f"{self.url}/v1", **fields}

    def late(self, body: Json) -> Callable[[BaseHTTPRequestHandler], None]:
        """An answer that comes once the server is released."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            self.released.wait(20)
            send(handler, 200, body)

        return answer


@contextmanager
def serving(*answers: Any) -> Iterator[Server]:
    """A server for the length of a test."""
    server = Server(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with server.lock:
                server.requests.append({"path": self.path, **json.loads(body)})
                server.headers.append({name.lower(): value for name, value in self.headers.items()})
                answer = server.next_answer()
            try:
                if callable(answer):
                    answer(self)
                elif isinstance(answer, tuple):
                    send(self, *answer)
                else:
                    send(self, 200, answer)
            except OSError:
                self.close_connection = True  # the client has gone, as it does when it waits no longer

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        http.shutdown()
        http.server_close()
        thread.join()


def send(handler: BaseHTTPRequestHandler, status: int, body: Any) -> None:
    """Send a whole answer; a text goes out as it is."""
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def said(text: str | None, *calls: tuple[str, Any], finish: str = "stop") -> Json:
    """Return a completion with a text and named tool calls."""
    tools = [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": name, "arguments": args if isinstance(args, str) else json.dumps(args)},
        }
        for number, (name, args) in enumerate(calls)
    ]
    message: Json = {"role": "assistant", "content": text}
    if tools:
        message["tool_calls"] = tools
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "tea-1-2026",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if tools else finish}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    }


def prompt(llm: Json | None, **fields: Any) -> Prompt:
    """A prompt of a node that speaks."""
    defaults: Json = {
        "kind": "say",
        "node_logical_id": "counter",
        "node_name": "Counter",
        "system": "Sell tea.",
        "message": "Have you any Assam?",
        "history": lambda: [{"type": "human", "content": "Have you any Assam?"}],
        "variables": {},
        "visit": 1,
    }
    return Prompt(**{**defaults, "llm": llm, **fields})


def provider_model(keys: dict[str, str] | None = None, **fields: Any) -> ProviderModel:
    """Return a model whose pauses are recorded in ``pauses``, not slept."""
    pauses: list[float] = []
    world = Environment(sleep=lambda seconds, _woken: pauses.append(seconds))
    environment = {"WORKFLOW_DEBUGGER_CUSTOM_LLM_API_KEY": KEY} if keys is None else keys
    made = ProviderModel(HeuristicModel(), keys=Keys(environment), environment=world, **fields)
    made.pauses = pauses
    return made
