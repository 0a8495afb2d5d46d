from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from debugger import cli
from debugger.cli.output import say, say_json

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\u202etxt\u2066"


def test_lines_have_no_control_characters(capsys):
    say(f"{HOSTILE}\n\tTwo")
    say(HOSTILE, err=True, fg="red")

    shown = capsys.readouterr()
    assert shown.out == ("\\x1b]0;owned\\x07\\x1b[2J\\x9b31m\\r\\u202etxt\\u2066\n\tTwo\n")
    assert "\x1b]" not in shown.err


def test_json_stays_json_without_controls(capsys):
    say_json({"name": HOSTILE + "Grüße"})

    out = capsys.readouterr().out
    assert json.loads(out) == {"name": HOSTILE + "Grüße"}
    assert not {"\x1b", "\x07", "\x9b", "\r", "\u202e", "\u2066"} & set(out)


@pytest.mark.parametrize(
    "file", [path for path in Path(cli.__file__).parent.glob("*.py") if path.name != "output.py"], ids=str
)
def test_commands_print_by_one_function(file):
    calls = [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)]
    printing = [
        ast.unparse(call)
        for call in calls
        if ast.unparse(call.func) in ("print", "typer.echo", "typer.secho")
    ]

    version = "typer.echo(f\"workflow-debugger {metadata.version('workflow-debugger')}\")"
    assert set(printing) <= {version}
