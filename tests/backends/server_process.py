"""A server of ours in a process of its own, which can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

KEY = "sk-own-process"


@contextmanager
def server_process(folder, port=0):
    """Serve the runs in a folder: gives the process and the base URL."""
    command = [sys.executable, "-m", "debugger", "serve", "--port", str(port), "--api-key", KEY]
    command += ["--database", f"sqlite:///{folder}/runs.sqlite3"]
    environment = {name: value for name, value in os.environ.items() if "WORKFLOW_DEBUGGER" not in name}
    with (
        (folder / "log.txt").open("a") as log,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
            cwd=Path(__file__).parents[2],
        ) as process,
    ):
        line = process.stdout.readline()
        try:
            assert "Serving the API on" in line, (folder / "log.txt").read_text()
            threading.Thread(target=process.stdout.read, daemon=True).start()
            yield process, line.split()[-1]
        finally:
            process.kill()
            process.wait()
