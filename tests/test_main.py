from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_serve_answers_with_the_samples_and_ends_cleanly(tmp_path):
    process = _serve(tmp_path, "--port", "0", "--database", f"sqlite:///{tmp_path}/runs.sqlite3")
    address = process.stdout.readline().split()[-1]

    with urllib.request.urlopen(f"{address}/v1/workflows", timeout=10) as answer:
        body = answer.read()
    process.send_signal(signal.SIGTERM)

    assert b"Clinic front desk" in body
    assert process.wait(10) in (0, -signal.SIGTERM)
    process.stdout.close()


def test_a_key_that_is_asked_for_must_be_shown(tmp_path):
    process = _serve(
        tmp_path, "--port", "0", "--database", f"sqlite:///{tmp_path}/runs.sqlite3", "--api-key", "k-1"
    )
    address = process.stdout.readline().split()[-1]

    statuses = [_status(f"{address}/v1/workflows", key) for key in ("", "wrong", "k-1")]
    process.terminate()
    process.wait(10)
    process.stdout.close()

    assert statuses == [401, 401, 200]


def test_a_port_that_is_taken_is_told_in_a_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        process = _serve(tmp_path, "--port", port, "--database", f"sqlite:///{tmp_path}/runs.sqlite3")
        told, _ = process.communicate(timeout=20)

    assert process.returncode == 1
    assert "error:" in told
    assert port in told
    assert "Traceback" not in told


def test_a_database_that_cannot_be_opened_is_told_in_a_sentence(tmp_path):
    (tmp_path / "notes.txt").write_text("no database")
    process = _serve(tmp_path, "--port", "0", "--database", f"sqlite:///{tmp_path}/notes.txt")
    told, _ = process.communicate(timeout=20)

    assert process.returncode == 1
    assert "error:" in told
    assert "Traceback" not in told


def _serve(folder: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "debugger", "serve", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
    )


def _status(address: str, key: str) -> int:
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
