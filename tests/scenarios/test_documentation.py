"""The examples of the documentation, loaded and run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from debugger.scenarios.loading import load_text
from debugger.scenarios.model import KINDS, Expectation, Scenario, ScenarioTurn
from debugger.scenarios.runner import ScenarioRunner
from debugger.settings import Settings

DOCS = Path(__file__).parents[2] / "debugger" / "docs"
TEXT = (DOCS / "scenarios.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
WHOLE = [block for block in BLOCKS if "version: 1" in block]


def no_connection(name):
    pytest.fail(f"{name} is asked for")


@pytest.mark.parametrize("text", WHOLE)
def test_example_passes(text, tmp_path):
    for mode in ("once", "none") if "recording:" in text else ("none",):
        with ScenarioRunner(no_connection, Settings(), record_mode=mode) as runner:
            for result in runner.run(load_text(text, tmp_path)):
                [repetition] = result.repetitions
                assert ([check.text for check in repetition.failures], repetition.error) == ([], "")
                assert repetition.warnings == []


def test_every_kind_has_an_example():
    [listed] = [block for block in BLOCKS if block not in WHOLE]
    expectations = [Expectation.model_validate(each) for each in yaml.safe_load(listed)]

    assert [*dict.fromkeys(each.kind for each in expectations)] == [*KINDS]


def test_every_key_is_explained():
    keys = set(re.findall(r"`(\w+)`", TEXT))

    assert keys >= {*Scenario.model_fields, *ScenarioTurn.model_fields} - {"turns"}


def test_documents_have_no_merge_marks():
    marked = [
        path.name
        for path in DOCS.glob("*.md")
        if re.search(r"^(<{7}|>{7}) ", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]

    assert marked == []
