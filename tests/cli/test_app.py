from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from debugger.cli import main
from debugger.cli.app import _open

ROOT = Path(__file__).parents[2]


def test_app_serves_page_from_any_folder(tmp_path):
    port = _free_port()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-m", "debugger", "app", "--port", str(port)]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        page = _fetch(f"http://127.0.0.1:{port}/", process)
        health = _fetch(f"http://127.0.0.1:{port}/healthz", process)
        counters = _fetch(f"http://127.0.0.1:{port}/metrics", process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)

    assert b"<title>Streamlit</title>" in page
    assert health == b"ok\n"
    assert b"debugger_build_info" in counters
    assert f"URL: http://localhost:{port}" in (tmp_path / "log").read_text()


def test_app_reports_port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = CliRunner().invoke(main, ["app", "--port", str(port)])

    assert refused.exit_code == 1
    assert f"cannot listen on 127.0.0.1, port {port}: Address already in use." in refused.stderr
    assert f"workflow-debugger app --port {port + 1}" in refused.stderr


def test_no_command_is_app(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("STREAMLIT_SERVER_PORT", str(taken.getsockname()[1]))
        refused = CliRunner().invoke(main, [])

    assert refused.exit_code == 1
    assert refused.stderr.startswith("error: The app cannot listen on 127.0.0.1, port ")


@pytest.mark.parametrize(("host", "name"), [("127.0.0.1", "localhost"), ("0.0.0.0", "localhost")])
def test_browser_opens_page_that_answers(monkeypatch, host, name):
    opened = []
    monkeypatch.setattr("typer.launch", opened.append)
    with socket.create_server((host, 0)) as listener:
        port = listener.getsockname()[1]
        _open(host, port)

    assert opened == [f"http://{name}:{port}"]


def test_page_of_team_needs_login(tmp_path):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [
        sys.executable,
        "-P",
        "-m",
        "debugger",
        "app",
        "--port",
        str(_free_port()),
        "--host",
        "0.0.0.0",
    ]
    refused = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )

    assert refused.returncode == 1
    assert "error: The page is reachable from other machines" in refused.stderr


def test_checkout_has_configuration_of_package():
    packaged = ROOT / "debugger" / "views" / "app" / ".streamlit" / "config.toml"

    assert (ROOT / ".streamlit" / "config.toml").read_text() == packaged.read_text()


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


def _fetch(url: str, process: subprocess.Popen[bytes]) -> bytes:
    while process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bytes(answer.read())
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the app has ended")


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "tea..example", "."])
def test_app_reports_malformed_host(host):
    refused = CliRunner().invoke(main, ["app", "--host", host, "--port", str(_free_port())])

    assert (refused.exit_code, type(refused.exception)) == (1, SystemExit)
    assert f"cannot listen on {host}" in refused.stderr


def test_advice_names_a_port_that_exists(monkeypatch):
    def taken(*_args, **_kwargs):
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(socket, "create_server", taken)

    refused = CliRunner().invoke(main, ["app", "--port", "65535"])

    assert refused.exit_code == 1
    assert "--port 65536" not in refused.stderr
