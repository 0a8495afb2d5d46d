"""Nothing of a campaign is left when its process ends, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

PATIENCE = 60.0
CAMPAIGN = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
from tests.faults.campaign import Terms, run_campaign
if __name__ == "__main__":
    run_campaign(Terms("stranger", "rest", 10_000, "a", workers=2), sys.argv[1])
"""


def processes(mark):
    """Return the commands of the running processes with a mark in their environment, by process id."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes():
                found[int(folder.name)] = (folder / "cmdline").read_bytes().decode()
        except OSError:  # it has ended, or is of another user
            continue
    return found


def wait_until(is_true):
    deadline = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_campaign_leaves_no_process(number, tmp_path):
    script, mark = tmp_path / "campaign.py", uuid.uuid4().hex
    script.write_text(CAMPAIGN)
    folder = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, script, tmp_path],
        env=os.environ | {"A_MARK": mark, "PYTHONPATH": str(folder)},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd=folder,
    ) as campaign:
        try:
            wait_until(lambda: sum("stranger" in line for line in processes(mark.encode()).values()) == 2)
            campaign.send_signal(number)

            wait_until(lambda: not processes(mark.encode()))
        finally:
            for process in processes(mark.encode()):
                os.kill(process, signal.SIGKILL)
