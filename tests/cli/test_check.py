"""The command ``check`` on scenarios and scripts; `test_main` has workflows."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from debugger.cli import main

SAMPLES = Path(__file__).parents[2] / "debugger" / "samples"


def test_check_finds_nothing_wrong_with_samples():
    files = [*SAMPLES.glob("scenarios/*.yaml"), *SAMPLES.glob("*.yaml"), SAMPLES / "tea_welcome.json"]
    result = CliRunner().invoke(main, ["check", *map(str, files)])

    assert (result.exit_code, result.output.splitlines()[-1]) == (
        0,
        "1 workflow, 7 scenarios, 2 scripts, 0 errors, 0 warnings",
    )


def test_check_reports_line_and_column(tmp_path):
    scenario, script = tmp_path / "a.scenario.yaml", tmp_path / "b.script.yaml"
    scenario.write_text("version: 1\nname: a\nworkflow: b\nturns:\n  - sai: c\n", encoding="utf-8")
    script.write_text("version: 1\nworkflow: b\nnodes:\n  c:\n    - sai: d\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["check", str(scenario), str(script)])

    assert (result.exit_code, result.output.splitlines()) == (
        1,
        [
            f"{scenario.as_posix()}:5:5: sai: this key is unknown. Did you mean 'say'?",
            f"{script.as_posix()}:5:7: Rule 1 of 'c' has the unknown key 'sai'. "
            "It takes when, if, visit, after, take, say, fill, args, call.",
            "1 scenario, 1 script, 2 errors, 0 warnings",
        ],
    )


def test_check_finds_unreadable_nodes(tmp_path):
    call = {"logical_id": "ask", "type": "http_request", "is_start": True, "method": "get"}
    (tmp_path / "a.json").write_text(json.dumps({"node_configs": [call]}), encoding="utf-8")
    result = CliRunner().invoke(main, ["check", str(tmp_path / "a.json")])

    assert result.exit_code == 1
    assert result.output.startswith("error  node 'ask': cannot be read as 'http_request', so it is skipped.")


def test_check_counts_unreadable_files(tmp_path):
    result = CliRunner().invoke(main, ["check", str(tmp_path), str(SAMPLES / "tea_welcome.json")])

    assert (result.exit_code, result.output.splitlines()) == (
        2,
        [
            f"{tmp_path}: The file cannot be read: Is a directory. Name the files in it.",
            "1 workflow, 1 unreadable file, 0 errors, 0 warnings",
        ],
    )


def test_check_reports_mistakes_as_objects(tmp_path):
    scenario = tmp_path / "a.scenario.yaml"
    scenario.write_text("version: 1\nname: a\nworkflow: b\nturns: []\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["check", "--json", str(scenario)])

    assert (result.exit_code, json.loads(result.output)) == (
        1,
        {
            "file": str(scenario),
            "level": "error",
            "line": 4,
            "column": 1,
            "message": "turns: expected at least 1 item, found a list of 0.",
        },
    )


def test_check_cannot_read_missing_scenario(tmp_path):
    result = CliRunner().invoke(main, ["check", str(tmp_path / "none.scenario.yaml")])

    assert result.exit_code == 2
    assert "cannot be read: No such file or directory" in result.output


def test_check_writes_no_control_characters(tmp_path):
    scenario = tmp_path / "a.scenario.yaml"
    scenario.write_text('version: 1\nname: a\nworkflow: b\nturns:\n  - "sa\\e[2Jy": c\n', encoding="utf-8")

    result = CliRunner().invoke(main, ["check", str(scenario)])

    assert "sa\\x1b[2Jy: this key is unknown." in result.output


def test_check_prints_schemas():
    for kind, key in (("scenario", "turns"), ("script", "anywhere")):
        result = CliRunner().invoke(main, ["check", "--schema", kind])
        assert result.exit_code == 0
        assert key in json.loads(result.output)["properties"]


def test_check_needs_a_file():
    result = CliRunner().invoke(main, ["check"])

    assert result.exit_code == 2
    assert "There is no file to check. Name one, or use --schema." in result.output
