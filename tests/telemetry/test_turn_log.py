from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
from contextlib import closing

import pytest

from debugger.backends import open_embedded
from debugger.backends.hosted import HostedBackend
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.settings import HostedSettings, Settings
from debugger.telemetry.logs import JsonFormatter
from tests.support.clinic import CALL


@pytest.fixture
def app_log():
    """The log of this process, whose turns run on threads of the session."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(JsonFormatter())
    logger, level = logging.getLogger("debugger"), logging.getLogger("debugger").level
    logger.addHandler(handler)
    logger.setLevel("INFO")
    yield handler.stream
    logger.removeHandler(handler)
    logger.setLevel(level)


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


def test_lines_of_turn_have_one_request_id(tmp_path):
    """A turn of the app on a server in another process: both logs have the id that the app made."""
    command = [sys.executable, "-m", "debugger", "serve", "--port", "0", "--log-format", "json"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
    try:
        url = server.stdout.readline().split()[-1]
        hosted = HostedBackend(HostedSettings(base_url=url.removesuffix("/v1"), live_events="off"))
        workflow = next(each for each in hosted.workflows("Clinic front desk"))
        session = DebugSession(hosted, workflow.id)
        session.start(TurnInput.with_message(None))
        assert session.wait(60)
        session.poll()
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(20)
        server.stdout.close()
        hosted.close()

    lines = lines_of((tmp_path / "log").read_text())
    (turn,) = [line for line in lines if line["message"].startswith("turn ")]
    of_turn = [line for line in lines if "/execute" in line["message"] or line.get("run_id")]
    assert turn["run_id"] == session.started_run_id
    assert len(of_turn) == 2  # the end of the turn and the access log
    assert {line["request_id"] for line in of_turn} == {turn["request_id"]}


def test_turn_on_embedded_engine_has_request_id(app_log):
    with closing(open_embedded(Settings(database="sqlite://"))) as backend:
        workflow = next(each for each in backend.workflows("Clinic front desk"))
        session = DebugSession(backend, workflow.id)
        session.start(TurnInput.with_message(None))
        assert session.wait(60)
        session.send(CALL[0])
        assert session.wait(60)

    first, second = [line for line in lines_of(app_log.getvalue()) if line["message"].startswith("turn ")]
    assert {first["run_id"], second["run_id"]} == {session.started_run_id}
    assert len({first["request_id"], second["request_id"]}) == 2
