"""One of two writers of a run, commanded line by line.

It is a child process with a session.
``python -m tests.faults.writers DATABASE RUN`` reads commands from its input and answers each with a line of
JSON: ``send TEXT``, ``look``, ``load``, ``view``. It ends with its input.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.exports import NO_MASKING, exported, options, written

PATIENCE = 60


class Writer:
    """The child process, as a test commands it."""

    def __init__(self, process):
        self._process = process
        assert self.answer() == "ready"

    def ask(self, line):
        """Give one command without waiting for its answer."""
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def answer(self):
        """Return the answer to the oldest command that has none yet."""
        line = self._process.stdout.readline()
        assert line, "the writer has ended"
        return json.loads(line)

    def do(self, line):
        """Give one command, and return its answer."""
        self.ask(line)
        return self.answer()

    def kill(self):
        """End the process at once."""
        self._process.kill()
        self._process.wait()


@contextmanager
def writer(database, run_id):
    """Start a writer; it ends with the block."""
    command = [sys.executable, "-m", "tests.faults.writers", database, run_id]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        try:
            yield Writer(process)
        finally:
            process.stdin.close()
            process.wait(PATIENCE)


def open_backend(database):
    """Open the engine on a database; its tool may call out."""
    return EmbeddedBackend(Settings(database=database, responder="rules", outbound_write="live"))


def shown(session):
    """Return the turns as a session shows them."""
    return [[log.number, log.message, [event.logical_id for event in log.events]] for log in session.turns]


def csv_of(session):
    """Return the transcript as it is exported from a session."""
    run = exported(session.backend.run(session.run_id), session.workflow)
    return written([run], options(masking=NO_MASKING)).decode()


def _obey(session, command, rest):
    if command == "send":
        session.send(rest, TurnInput(dynamic_variables={"word": rest}))
        assert session.wait_until_idle(PATIENCE), session.status
        return {
            "error": type(session.error).__name__ if session.error else "",
            "unsent": session.unsent_message,
        }
    if command == "look":
        session.check_now()
        assert session.wait_for_record(PATIENCE)
    elif command == "load":
        session.load_newer()
        assert session.wait_for_record(PATIENCE)
    elif command == "view":
        return {"turns": shown(session), "csv": csv_of(session)}
    return {"newer": session.sync.newer_turns}


def main():
    """Obey commands until there are no more."""
    database, run_id = sys.argv[1:3]
    backend = open_backend(database)
    session = DebugSession.open(backend, run_id)
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        command, _, rest = line.rstrip("\n").partition(" ")
        print(json.dumps(_obey(session, command, rest)), flush=True)
    backend.close()


if __name__ == "__main__":
    main()
