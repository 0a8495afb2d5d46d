from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from debugger.cli import main

ROOT = Path(__file__).parents[2]


def test_serve_answers_with_the_samples_and_ends_cleanly(tmp_path):
    process = _serve(tmp_path, "--port", "0", "--database", f"sqlite:///{tmp_path}/runs.sqlite3")
    address = _address(process)

    with urllib.request.urlopen(f"{address}/v1/workflows", timeout=10) as answer:
        body = answer.read()
    process.send_signal(signal.SIGTERM)

    assert b"Clinic front desk" in body
    assert process.wait(10) in (0, -signal.SIGTERM)
    process.stdout.close()


def test_serve_requires_api_key(tmp_path):
    process = _serve(
        tmp_path, "--port", "0", "--database", f"sqlite:///{tmp_path}/runs.sqlite3", "--api-key", "k-1"
    )
    address = _address(process)

    statuses = [_status(f"{address}/v1/workflows", key) for key in ("", "wrong", "k-1")]
    process.terminate()
    process.wait(10)
    process.stdout.close()

    assert statuses == [401, 401, 200]


def test_serve_strips_the_key(tmp_path):
    process = _serve(
        tmp_path, "--port", "0", "--database", f"sqlite:///{tmp_path}/runs.sqlite3", "--api-key", "k-1\n"
    )
    address = _address(process)

    status = _status(f"{address}/v1/workflows", "k-1")
    process.terminate()
    process.wait(10)
    process.stdout.close()

    assert status == 200


def test_serve_reports_port_in_use(tmp_path):
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


def test_serve_reports_unopenable_database(tmp_path):
    (tmp_path / "notes.txt").write_text("no database")
    process = _serve(tmp_path, "--port", "0", "--database", f"sqlite:///{tmp_path}/notes.txt")
    told, _ = process.communicate(timeout=20)

    assert process.returncode == 1
    assert "error:" in told
    assert "Traceback" not in told


def test_check_finds_nothing_wrong_with_a_sample():
    told = _check(str(ROOT / "debugger/samples/tea_welcome.json"))

    assert told.exit_code == 0
    assert told.stdout == "1 workflow, 0 errors, 0 warnings\n"


def test_check_tells_each_problem_on_a_line(tmp_path):
    (tmp_path / "odd.json").write_text(ODD)

    told = _check(str(tmp_path / "odd.json"))

    assert told.exit_code == 1
    first, second, summary = told.stdout.splitlines()
    assert first.startswith("error  node 'Go' (a): has the type 'teleport', which")
    assert second.startswith("warning  node 'b': cannot be arrived at from the start. Add an edge")
    assert summary == "1 workflow, 1 error, 1 warning"


def test_check_reads_standard_input():
    document = ODD.replace("teleport", "no_op")

    assert _check("-", given=document).exit_code == 0
    assert _check("-", "--strict", given=document).exit_code == 1


def test_check_continues_after_unreadable_file(tmp_path):
    (tmp_path / "broken.json").write_text("{")

    files = [tmp_path / "gone.json", tmp_path / "broken.json", ROOT / "debugger/samples/tea_welcome.json"]
    command = [sys.executable, "-m", "debugger", "check", *map(str, files)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert told.returncode == 2
    assert "gone.json: The file cannot be read: No such file" in told.stderr
    assert "broken.json: Not JSON at line 1" in told.stderr
    assert "Traceback" not in told.stderr
    assert told.stdout.endswith("1 workflow, 2 unreadable files, 0 errors, 0 warnings\n")


def test_check_tells_each_problem_as_an_object(tmp_path):
    (tmp_path / "odd.json").write_text(ODD)

    told = _check("--json", str(tmp_path / "odd.json"))

    problems = [json.loads(line) for line in told.stdout.splitlines()]
    assert told.exit_code == 1
    assert [(problem["code"], problem["node_logical_id"]) for problem in problems] == [
        ("unknown-node-type", "a"),
        ("unreachable-node", "b"),
    ]
    assert problems[0]["file"] == str(tmp_path / "odd.json")


def test_check_knows_super_nodes_and_looks_into_them(tmp_path):
    inner = json.loads(ODD)
    outer = {"logical_id": "s", "name": "Sub", "type": "super_node", "encapsulated_workflow_config": inner}
    flow = {"node_configs": [{**outer, "is_start": True}], "edge_configs": []}
    (tmp_path / "nested.json").write_text(json.dumps(flow))

    told = _check(str(tmp_path / "nested.json"))

    assert told.stdout.startswith("error  node 'Sub' (s): Inside 'Sub': Node 'Go' (a) has the type")
    assert told.stdout.endswith("1 workflow, 1 error, 1 warning\n")


ODD = """{"node_configs": [
    {"logical_id": "a", "name": "Go", "type": "teleport", "is_start": true},
    {"logical_id": "b", "type": "no_op"}
]}"""


def _address(process: subprocess.Popen[str]) -> str:
    """Return the address that a server serves, after the lines of its log."""
    log = []
    while not (line := process.stdout.readline()).startswith("Serving "):
        log.append(line)
        assert line, "the server has ended"
    assert any(line.endswith("INFO debugger.cli.server: Inline Python: sandboxed.\n") for line in log)
    return line.split()[-1]


def _check(*arguments: str, given: str = "") -> Result:
    """Run the command in this process: one of its own takes two seconds to begin."""
    return CliRunner().invoke(main, ["check", *arguments], input=given)


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
