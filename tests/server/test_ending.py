from __future__ import annotations

import signal
from types import SimpleNamespace

import uvicorn

from debugger.server import create_app
from debugger.server.ending import EndingServer
from debugger.server.readiness import ENDING


def test_a_server_that_was_asked_to_end_is_there_and_not_ready(serve):
    app = create_app(SimpleNamespace())
    client = serve(None, app=app)
    EndingServer(uvicorn.Config(app), app.state.readiness).handle_exit(signal.SIGTERM, None)

    answer = client.get(client.base_url.join("/readyz"))

    assert (answer.status_code, answer.json()) == (503, {"detail": ENDING})
    assert client.get(client.base_url.join("/healthz")).status_code == 200
