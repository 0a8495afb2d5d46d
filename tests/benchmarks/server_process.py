"""A Streamlit server whose processor time and memory are read from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.browser.conftest import ROOT, free_port

_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


@dataclass(frozen=True)
class Costs:
    """A server, and what it has cost so far."""

    url: str
    process_id: int

    @property
    def cpu_ms(self) -> float:
        """Processor time of all its threads."""
        # What clock_getcpuclockid(3) gives: /proc tells the same, but only to 10 ms.
        return time.clock_gettime_ns(~self.process_id << 3 | 2) / 1e6

    @property
    def memory(self) -> float:
        """Resident memory in megabytes."""
        return int(Path(f"/proc/{self.process_id}/statm").read_text().split()[1]) * _PAGE_MB


@contextmanager
def server(script: Path, folder: Path, *, settings: Path = ROOT, **environment: str) -> Iterator[Costs]:
    """Run a Streamlit script until the end of the block.

    Args:
        script: The script, or the app.
        folder: Where it keeps what it writes.
        settings: Where Streamlit finds its settings: this app's, unless another folder is named.
        environment: Variables of its environment.
    """
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    command += ["--server.headless", "true", "--server.fileWatcherType", "none"]
    own = {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"), **environment}
    with (folder / f"server-{port}.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=settings, env={**os.environ, **own})
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/_stcore/health")
            yield Costs(url, process.pid)
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_for(url: str) -> None:
    """Wait until something answers at an address."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"nothing answers at {url}")
