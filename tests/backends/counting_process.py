"""Executes one turn in a process of its own; each call of its node is a line in a file.

The argument is JSON: ``url``, ``workflow_id``, ``folder``, and what `EmbeddedBackend.execute` takes. While
the folder has a file ``wait``, the node waits for a file ``continue``. Prints what happened as JSON. With
``clock`` its clock is ahead by so many seconds; with ``owner`` it looks like a process of another machine.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from debugger.backends.embedded import EmbeddedBackend, leases
from debugger.engine.nodes import NODE_TYPES
from debugger.engine.nodes.base import Node, NodeContext, NodeResult, NodeRun
from debugger.errors import DebuggerError
from debugger.protocol.runs import TurnInput
from debugger.protocol.workflow import NodeConfig
from debugger.settings import Settings
from tests.support.factories import direct, document, node, say

ROOT = Path(__file__).parents[2]
TYPE = "counted_call"
SECONDS = 60


class CountedConfig(NodeConfig):
    """The folder that counts the calls."""

    folder: str = ""


class CountedCall(Node[CountedConfig]):
    """A call that leaves a line in a file, and may wait for another file."""

    Config = CountedConfig

    def run(self, context: NodeContext) -> NodeRun:
        """Call."""
        yield from ()
        folder = Path(self.config.folder)
        with (folder / "calls").open("a") as calls:
            calls.write(f"{os.getpid()}\n")
        deadline = time.monotonic() + SECONDS
        while (folder / "wait").exists() and not (folder / "continue").exists():
            if context.cancelled.is_set():
                break
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return NodeResult()


def counted(folder: Path) -> dict:
    """Return a workflow whose every turn calls once, then waits for the user."""
    call, chat = node("call", TYPE, folder=str(folder)), say("chat", self_loop=False)
    return document(call, chat, direct("call", "chat"), direct("chat", "call"))


def calls(folder: Path) -> list[str]:
    """Return the process ids of the calls so far."""
    path = folder / "calls"
    return path.read_text().split() if path.exists() else []


def await_calls(folder: Path, count: int) -> None:
    """Wait until there have been so many calls."""
    deadline = time.monotonic() + SECONDS
    while len(calls(folder)) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def begin(url: str, workflow_id: str, folder: Path, **execute) -> subprocess.Popen:
    """Start a process that executes a turn."""
    job = json.dumps({"url": url, "workflow_id": workflow_id, "folder": str(folder), **execute})
    return subprocess.Popen(
        [sys.executable, "-m", "tests.backends.counting_process", job],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def answer(process: subprocess.Popen) -> dict:
    """Return what a process has printed."""
    text, _ = process.communicate(timeout=SECONDS)
    return json.loads(text)


def kill(process: subprocess.Popen) -> None:
    """End a process without a word, and wait until it is gone."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


def main(job: dict) -> None:
    NODE_TYPES[TYPE] = CountedCall
    if "clock" in job:
        right = time.time
        time.time = lambda: right() + job["clock"]
    if "owner" in job:
        leases.current_owner = lambda: job["owner"]
    settings = Settings(database=job["url"], responder="rules", turn_lease=job.get("lease", 30))
    backend = EmbeddedBackend(settings)
    misc = {"client_turn_id": job["client_turn_id"]} if job.get("client_turn_id") else {}
    turn_input = TurnInput.with_message(job.get("text"), miscellaneous=misc)
    if job.get("barrier"):
        Path(job["folder"], f"ready-{os.getpid()}").touch()
        while not Path(job["folder"], "go").exists():
            time.sleep(0.001)
    try:
        result = backend.execute(
            job["workflow_id"],
            turn_input,
            run_id=job.get("run_id"),
            expected_turn_number=job.get("expected"),
        ).finish()
        told = {"run_id": result.run_id, "turn_number": result.turn_number, "events": result.events}
    except DebuggerError as error:
        told = {"error": type(error).__name__}
    print(json.dumps(told))
    backend.close()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
