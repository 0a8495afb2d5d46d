"""Tests of archives with a scenario and its files."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from debugger.backends import open_embedded
from debugger.backends.embedded import EmbeddedBackend
from debugger.samples import SAMPLES
from debugger.scenarios.bundle import write_bundle
from debugger.scenarios.loading import load_scenario
from debugger.scenarios.runner import ScenarioRunner
from debugger.settings import Settings
from tests.support.scenarios import CONVERSATIONS, draft_of, embedded, talk


@pytest.mark.parametrize("name", ["Clinic front desk: demo", "Lab results line: waits for the result"])
def test_bundle_passes_without_store_and_scripts(name: str, tmp_path: Path) -> None:
    sample, lines = CONVERSATIONS[name]
    session = talk(embedded(), sample, lines)
    script = next(each.script_text() for each in SAMPLES if each.name == sample)
    own = {**session.workflow.to_wire(), "logical_id": "of_another_machine"}
    script = script.replace(session.workflow.config.logical_id, "of_another_machine")

    content = write_bundle(draft_of(session), sample, own, script)

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
    empty = EmbeddedBackend(Settings(database="sqlite://", scripts=str(tmp_path / "none")))
    with ScenarioRunner(lambda _: empty, Settings()) as runner:
        (result,) = runner.run(load_scenario(tmp_path / "a-conversation.scenario.yaml", is_confined=True))
    assert result.outcome == "passed", [check.text for check in result.repetitions[0].failures]


def test_bundle_names_no_script_without_one(tmp_path: Path) -> None:
    backend = open_embedded(Settings(database="sqlite://"))
    session = talk(backend, *CONVERSATIONS["Tea welcome: a conversation"])
    draft = draft_of(session)
    draft.head["workflow_version"] = 0

    first, second = (
        write_bundle(draft, session.workflow.name, session.workflow.to_wire(), "") for _ in range(2)
    )

    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path)
    assert names == ["tea-welcome.json", "a-conversation.scenario.yaml"]
    scenario = load_scenario(tmp_path / names[1]).scenario
    assert (scenario.workflow, scenario.script, scenario.workflow_version) == ("tea-welcome.json", None, None)
