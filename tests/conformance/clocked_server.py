"""A server of ours whose clock and chance a test sets.

``python -m tests.conformance.clocked_server FOLDER SEED`` serves the runs of a folder as `open_backend` opens
it, and obeys lines on its input, each of which it answers: ``set SECONDS SEED``, ``move SECONDS``.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

from debugger.server.http_server import serve
from tests.backends.one_turn import open_backend

KEY = "sk-clocked"


class World:
    """Clock and chance of one backend.

    Args:
        environment: What the backend was opened with.
    """

    def __init__(self, environment):
        self._environment = environment

    def set(self, seconds, seed):
        """Set the clock, and seed what is drawn from now on."""
        self._environment.now.__self__.seconds = seconds
        self._environment.random.seed(seed)

    def move(self, seconds):
        """Move the clock on."""
        self._environment.now.__self__.seconds += seconds


class RemoteWorld:
    """Clock and chance of the server, as its parent sets them."""

    def __init__(self, process):
        self._process = process

    def set(self, seconds, seed):
        self._tell(f"set {seconds!r} {seed}")

    def move(self, seconds):
        self._tell(f"move {seconds!r}")

    def _tell(self, line):
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == f"{line}\n"


@contextmanager
def clocked_server(folder, seed):
    """Serve a folder; yields the base URL, and the world of the server."""
    command = [sys.executable, "-m", "tests.conformance.clocked_server", str(folder), str(seed)]
    with (
        (folder / "log.txt").open("w") as log,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=Path(__file__).parents[2],
        ) as process,
    ):
        said = process.stdout.readline()
        try:
            assert "Serving the API on" in said, (folder / "log.txt").read_text()
            yield said.split()[-1], RemoteWorld(process)
        finally:
            process.terminate()
            process.wait(30)


def obey(world):
    """Obey the parent's lines until there are no more."""
    for line in sys.stdin:
        command, *numbers = line.split()
        if command == "set":
            world.set(float(numbers[0]), int(numbers[1]))
        else:
            world.move(float(numbers[0]))
        print(line, end="", flush=True)


def main():
    """Serve until a signal ends it."""
    backend = open_backend(Path(sys.argv[1]), 0, int(sys.argv[2]))
    threading.Thread(target=obey, args=(World(backend._world),), daemon=True).start()
    serve(backend, "127.0.0.1", 0, KEY)
    backend.close()


if __name__ == "__main__":
    main()
