from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest
from typer.testing import CliRunner

from debugger.cli import COMMANDS, load_command, main

HEAVY = {
    "alembic",
    "debugger.settings",
    "fastapi",
    "httpx",
    "jsonschema",
    "lark",
    "liquid",
    "openpyxl",
    "pandas",
    "sqlalchemy",
    "streamlit",
    "uvicorn",
}
SCRIPT = """
import sys
from contextlib import suppress
from debugger.cli import COMMANDS, main
for arguments in [["--version"], ["--help"], *([name, "--help"] for name in COMMANDS)]:
    with suppress(SystemExit):
        main(arguments)
print("imported:", *sorted(sys.modules))
"""


def test_help_imports_nothing_heavy():
    shown = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60)

    imported = shown.stdout.splitlines()[-1].split()
    assert "--distributed" in shown.stdout
    assert "debugger.cli.test" in imported
    assert HEAVY.isdisjoint(imported)


@pytest.mark.parametrize("name", COMMANDS)
def test_listed_help_is_docstring(name):
    assert load_command(name).help.split("\n\n")[0].replace("\n", " ") == COMMANDS[name].help


def test_version_is_printed():
    printed = CliRunner().invoke(main, ["--version"])

    assert printed.stdout == f"workflow-debugger {metadata.version('workflow-debugger')}\n"


def test_short_help_option_works():
    assert CliRunner().invoke(main, ["keys", "add", "-h"]).exit_code == 0


def test_misspelt_command_is_suggested():
    refused = CliRunner().invoke(main, ["tset"])

    assert refused.exit_code == 2
    assert "Did you mean 'test'?" in refused.stderr


def test_completion_offers_commands_and_options():
    environment = {"_MAIN_COMPLETE": "complete_bash", "COMP_WORDS": "main ke", "COMP_CWORD": "1"}
    commands = CliRunner().invoke(main, [], prog_name="main", env=environment)
    environment |= {"COMP_WORDS": "main test --dr", "COMP_CWORD": "2"}
    options = CliRunner().invoke(main, [], prog_name="main", env=environment)

    assert commands.stdout.split() == ["keys"]
    assert options.stdout.split() == ["--dry-run"]
