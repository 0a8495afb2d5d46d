"""Executes a turn whose store fails while its call is made, in a process of its own.

The argument is JSON: ``url`` of the database, ``kind`` of the failure, ``at`` which call, and ``folder``. The
turn books and pays by POSTs to a server in this process, which counts them. Prints as JSON what the session
says after the turn, after the message was sent by hand again, and after its user chose to send it again.
With ``text``, ``run_id`` and ``lease`` it sends one message to a run instead.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import event

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.settings import Settings
from debugger.store.claims import interrupt
from tests.support.factories import direct, document, node, say
from tests.support.http_server import HttpServer

ROOT = Path(__file__).parents[2]
SECONDS = 60

_LOCK = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


def booking(url: str) -> dict:
    """Return a workflow that waits for the user, then books and pays in every turn."""
    return document(
        say("ask", self_loop=False),
        node("book", "http_request", url=f"{url}/book?key={{{{secret.KEY}}}}", method="POST"),
        node("pay", "http_request", url=f"{url}/pay", method="POST"),
        direct("ask", "book"),
        direct("book", "pay"),
        direct("pay", "ask"),
        name="Booking",
    )


def open_backend(url: str, **settings: object) -> EmbeddedBackend:
    """Return a backend whose calls are really made."""
    os.environ["WORKFLOW_DEBUGGER_SECRET_KEY"] = "planted-secret"
    os.environ["WORKFLOW_DEBUGGER_SECRET_HOSTS_KEY"] = "http://127.0.0.1"
    return EmbeddedBackend(Settings(database=url, responder="rules", outbound_write="live", **settings))


class Fault:
    """A failure of the store, from the moment of a call on."""

    def __init__(self, backend: EmbeddedBackend, folder: Path) -> None:
        self.store, self.folder = backend.store, folder
        self.file = Path(str(self.store._database.dialect.file))
        self.heal: Callable[[], None] = lambda: None
        self.run_id = ""

    def full(self) -> None:
        """Let the database have no further page."""
        engine = self.store._database._engine
        connection = sqlite3.connect(self.file)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.close()
        limit = [pages]

        def check_out(connection: sqlite3.Connection, *_: object) -> None:
            connection.execute(f"PRAGMA max_page_count={limit[0]}")

        event.listen(engine, "checkout", check_out)
        self.heal = lambda: limit.__setitem__(0, 2**30)

    def disk(self) -> None:
        """Fill the disk to the last byte."""
        filler = self.file.with_name("filler")
        with filler.open("wb", buffering=0) as file:
            for size in (65536, 512, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass
        self.heal = filler.unlink

    def limit(self) -> None:
        """Let this process make no file longer than its log is now."""
        log = self.file.with_name(f"{self.file.name}-wal")
        resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, resource.RLIM_INFINITY))
        self.heal = lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        )

    def locked(self) -> None:
        """Let another process hold the write lock."""
        holder = subprocess.Popen(
            [sys.executable, "-c", _LOCK, str(self.file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert holder.stdout is not None and holder.stdout.readline() == "locked\n"
        self.heal = lambda: holder.communicate() and None

    def lost(self) -> None:
        """Take the claim away, as another process does once the lease has lapsed."""
        claimed = self.store.claims.position(self.run_id).claimed
        assert claimed is not None
        with self.store._database.writing() as connection:
            assert interrupt(connection, claimed)


def send(job: dict) -> None:
    """Open a run and send a message; print what its user reads then."""
    backend = open_backend(job["url"], turn_lease=job["lease"])
    session = DebugSession.open(backend, job["run_id"])
    session.send(job["text"])
    session.wait_until_idle(SECONDS)
    calls = session.unstored_turn.calls if session.unstored_turn is not None else []
    print(json.dumps({"said": str(session.error), "calls": [call["target"] for call in calls]}))
    backend.close()


def main(job: dict) -> None:
    """Send a turn whose store fails, and do what a user does then."""
    at = job["at"]
    with HttpServer() as server:
        backend = open_backend(job["url"])
        fault = Fault(backend, Path(job["folder"]))
        struck: list[str] = []

        def strike(handler) -> None:
            if not struck:
                struck.append(at)
                getattr(fault, job["kind"])()
            handler.send_json({"body": os.urandom(100_000).hex()})

        server.routes[f"/{at}"] = strike
        session = DebugSession(backend, backend.create_workflow(booking(server.url)).id)
        told: dict[str, object] = {}

        def tell(step: str) -> None:
            session.wait_until_idle(SECONDS)
            turn = session.unstored_turn
            told[step] = {
                "error": type(session.error).__name__,
                "said": str(session.error),
                "calls": [] if turn is None else [[call["target"], call["success"]] for call in turn.calls],
                "received": [received.path.partition("?")[0] for received in server.received],
                "turns": len(session.turns),
                "unsent": session.unsent_message,
            }

        session.start(TurnInput.with_message(None))
        tell("begun")
        fault.run_id = session.run_id or ""
        session.send("Book it")
        tell("struck")
        session.send("Book it")
        tell("sent by hand")
        told["journal at once"] = len(backend.store.notes.read_unfinished_turns())
        told["status at once"] = backend.store.claims.position(fault.run_id).status
        fault.heal()
        deadline = time.monotonic() + SECONDS
        while not (entries := backend.store.notes.read_unfinished_turns()):  # written once it can be
            backend.run(fault.run_id)
            assert time.monotonic() < deadline, told
            time.sleep(0.05)
        told["journal"] = [[call["target"] for call in entry.calls] for entry in entries]
        told["status"] = backend.revision(fault.run_id).status
        session.send_unstored_again()
        tell("chosen")
        session.send("Thanks")
        tell("after")
        told["left"] = len(backend.store.notes.read_unfinished_turns())
        print(json.dumps(told))
        backend.close()


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    (send if "text" in given else main)(given)
