"""Sockets of a server in a process of its own, which ends while they are open."""

from __future__ import annotations

import signal

import httpx
import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.settings import Settings
from tests.backends.server_process import KEY, server_process
from tests.support.factories import say, tool
from tests.support.server_sockets import create, opened

SLOW = "import time\ndef slow():\n    time.sleep(1.5)\n    return 1\n"
BEARER = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def process_and_api(tmp_path):
    with (
        server_process(tmp_path) as (process, url),
        httpx.Client(base_url=url, headers=BEARER, trust_env=False) as api,
    ):
        yield process, api


def test_ending_server_closes_sockets_as_abnormal(process_and_api):
    process, api = process_and_api
    workflow_id = create(api, say("ask"))

    with opened(api, additional_headers=BEARER) as socket:
        socket.turn(workflow_id=workflow_id)
        process.send_signal(signal.SIGTERM)
        code, _ = socket.closed()

    assert code == 1012
    process.wait(10)


def test_ending_server_finishes_turn_first(process_and_api, tmp_path):
    process, api = process_and_api
    workflow_id = create(api, tool("slow", SLOW))

    with opened(api, additional_headers=BEARER) as socket:
        socket.send(workflow_id=workflow_id)
        run_id = socket.receive()["workflow_run_id"]
        process.send_signal(signal.SIGTERM)
        process.wait(10)

    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3"))
    assert backend.run(run_id).status == "completed"
    backend.close()
