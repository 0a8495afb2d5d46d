"""What the README promises is there."""

from __future__ import annotations

import re
from pathlib import Path

from debugger.engine.models.providers.keys import CUSTOM, CUSTOM_URL
from debugger.engine.nodes import NODE_TYPES
from debugger.engine.tools import TOOL_TYPES
from debugger.settings import HOSTED_PREFIX, PREFIX, HostedSettings, Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_both_commands_stand_in_it_and_ci_runs_the_second():
    assert "pip install . && streamlit run app.py" in README
    assert "pip install -e '.[test]' && pytest" in README
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "pip install -q -e '.[test]' && pytest" in ci


def test_every_setting_is_listed_and_nothing_else():
    own = {PREFIX + name.upper() for name in Settings.model_fields if name != "hosted"}
    hosted = {HOSTED_PREFIX + name.upper() for name in HostedSettings.model_fields}

    listed = set(re.findall(rf"`((?:{PREFIX}|{HOSTED_PREFIX})[A-Z_]+)`", README))

    assert listed == own | hosted | {CUSTOM, CUSTOM_URL}


def test_the_defaults_in_it_are_the_defaults():
    settings = Settings()
    for name in ("responder", "inline_python", "max_node_runs", "dict_paths", "time_zone"):
        row = next(line for line in README.splitlines() if f"`{PREFIX}{name.upper()}`" in line)
        assert f"| `{getattr(settings, name)}` |" in row


def test_every_node_type_and_tool_type_is_named():
    for name in (*NODE_TYPES, *TOOL_TYPES):
        assert f"`{name}`" in README


def test_every_path_in_it_exists():
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", README)
    registries = re.findall(
        r"`((?:engine|backends|views|exports|protocol|graph)/[\w/]+\.py)(?::[^`]*)?`", README
    )
    folders = re.findall(r"`debugger/(\w+)`", README)

    assert pictures
    assert all((ROOT / path).is_file() for path in pictures)
    assert all((ROOT / "debugger" / path).is_file() for path in registries)
    assert all((ROOT / "debugger" / path).is_dir() for path in folders)
