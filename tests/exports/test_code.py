from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from debugger.exports.code import CODE_FORMATS, as_curl, as_python, turn_call
from debugger.protocol.runs import TurnInput, background_input
from debugger.protocol.turn_logs import TurnLog

TEA = "665f00000000000000000001"
RUN = "665f0c2b9a3e4d5f6a7b8c90"
WORDS = "It's 5 o'clock; \"tea\" costs $HOME `date` \\ ö\n{now}"


@pytest.fixture
def api():
    """A server that keeps what it is sent."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            received.append((self.path, dict(self.headers), data))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"status": "completed"}')

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/workflows", received
    server.shutdown()
    server.server_close()


def run_code(language, code):
    command = ["sh", "-c", code] if language == "curl" else [sys.executable, "-c", code]
    environment = {**os.environ, "INTERACTLY_API_KEY": "key-of-the-test", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("language", list(CODE_FORMATS))
def test_code_repeats_the_turn(api, language):
    if language == "curl" and shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    base_url, received = api
    turn = TurnLog(
        2, TurnInput.with_message(WORDS, command="data", dynamic_variables={"big": 2**70, "none": None})
    )

    answer = run_code(language, CODE_FORMATS[language][1](turn_call(turn, base_url, TEA, RUN, 3)))

    [(path, headers, data)] = received
    assert path == f"/workflows/v1/workflows/{TEA}/execute"
    assert headers["Authorization"] == "Bearer key-of-the-test"
    assert json.loads(data) == {"run_input": turn.run_input.to_wire(), "run_id": RUN}
    assert answer == {"status": "completed"}


@pytest.mark.parametrize("language", ["curl", "Python"])
@pytest.mark.parametrize("message", ["x" * 200_000, "it's " * 20_100])
def test_code_of_a_long_turn_runs(api, language, message):
    if language == "curl" and shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    base_url, received = api
    turn = TurnLog(2, TurnInput.with_message(message, command="data"))
    call = turn_call(turn, base_url, TEA, RUN, 3)

    # A pasted command is no argument of the shell.
    command = ["sh", "-s"] if language == "curl" else [sys.executable, "-"]
    environment = {**os.environ, "INTERACTLY_API_KEY": "key-of-the-test", "NO_PROXY": "127.0.0.1"}
    code = CODE_FORMATS[language][1](call)
    done = subprocess.run(
        command, input=code, env=environment, capture_output=True, text=True, timeout=30, check=False
    )

    assert done.returncode == 0, done.stderr
    [(_, _, data)] = received
    assert json.loads(data) == {"run_input": turn.run_input.to_wire(), "run_id": RUN}


@pytest.mark.parametrize("language", list(CODE_FORMATS))
def test_code_of_background_work(api, language):
    if language == "curl" and shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    base_url, received = api
    turn = TurnLog(2, background_input(), is_background=True)

    run_code(language, CODE_FORMATS[language][1](turn_call(turn, base_url, TEA, RUN, 3)))

    [(path, _, data)] = received
    assert (path, data) == (f"/workflows/v1/workflows/{TEA}/runs/{RUN}/pump-companions", b"")


def test_code_of_a_first_turn():
    call = turn_call(TurnLog(1, TurnInput.with_message(None)), "https://api.example/workflows/", TEA, RUN, 3)

    assert call.url == f"https://api.example/workflows/v1/workflows/{TEA}/execute?version=3"
    assert list(call.body) == ["run_input"]


def test_no_secret_gets_into_the_code():
    given = TurnInput.from_wire(
        {"dynamic_variables": {"api_key": "hush-hush"}, "secret_variables": {"a": "hush-hush"}}
    )

    call = turn_call(TurnLog(1, given), "https://me:hush-hush@api.example/workflows", TEA, None, None)

    assert "hush-hush" not in as_curl(call) + as_python(call)
