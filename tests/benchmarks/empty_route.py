"""A FastAPI route that exchanges a turn's JSON and executes nothing.

Run by `server_load`: ``python -m tests.benchmarks.empty_route ANSWERS.json``.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

ANSWERS: list[dict[str, Any]] = []
"""What the server under test has answered to the turns of one session."""


async def answer(turn: int, body: dict[str, Any]) -> dict[str, Any]:
    """Answer like turn so-and-so."""
    return ANSWERS[turn - 1]


def main() -> None:
    """Serve until the end."""
    ANSWERS.extend(json.loads(Path(sys.argv[1]).read_text()))
    app = FastAPI()
    app.add_api_route("/turn/{turn}", answer, methods=["POST"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        print(listener.getsockname()[1], flush=True)
        uvicorn.Server(uvicorn.Config(app)).run(sockets=[listener])


if __name__ == "__main__":
    main()
