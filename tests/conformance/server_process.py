"""A server process that a test can kill, end and restart.

Its address stays the same.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.conformance.served import KEY, headers


class ServerProcess:
    """A server that is started already.

    Args:
        database: The URL of its store.
        folder: Where its log goes; each server has one of its own.
        scripts: The folder of the scripts that answer for models.
    """

    def __init__(self, database, folder, scripts):
        self.database = database
        self.log = folder / "log.txt"
        self._environment = {
            name: text for name, text in os.environ.items() if "WORKFLOW_DEBUGGER" not in name
        }
        self._environment["WORKFLOW_DEBUGGER_SCRIPTS"] = str(scripts)
        self._port = 0
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}/workflows"

    @property
    def process_id(self):
        return self._process.pid

    def start(self):
        """Start it, at the address that it had before."""
        command = [sys.executable, "-m", "debugger", "serve", "--port", str(self._port)]
        command += ["--database", self.database, "--api-key", KEY]
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._environment,
                cwd=Path(__file__).parents[2],
            )
        said = self._process.stdout.readline()
        assert "Serving the API on" in said, self.log.read_text()
        self._port = httpx.URL(said.split()[-1]).port
        # What it says besides goes to the same place, and an unread pipe stops it once it is full.
        self._reader = threading.Thread(target=self._process.stdout.read)
        self._reader.start()

    def kill(self):
        """End it at once, in the middle of whatever it does."""
        self._process.kill()
        self._gone()

    def ask_to_end(self):
        """Send the signal that an operator sends."""
        self._process.terminate()

    def await_deafness(self):
        """Wait until it takes no new connections any more."""
        deadline = time.monotonic() + 30
        while self._listens():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def await_end(self):
        """Wait until it has ended after its signal."""
        assert self._gone() == -signal.SIGTERM

    def client(self):
        """A client with a connection of its own."""
        # To read what certificates to trust takes as long as 50 turns, and nothing is encrypted here.
        fixed = {"verify": False, "trust_env": False, "timeout": 60}
        return httpx.Client(base_url=self.url, headers=headers(), **fixed)

    def _listens(self):
        try:
            socket.create_connection(("127.0.0.1", self._port)).close()
        except ConnectionRefusedError:
            return False
        return True

    def _gone(self):
        code = self._process.wait(30)
        self._reader.join()
        self._process.stdout.close()
        return code


@contextmanager
def server_process(database, folder, scripts):
    """A server until the end of the block."""
    folder.mkdir(exist_ok=True)
    server = ServerProcess(database, folder, scripts)
    try:
        yield server
    finally:
        server.kill()
