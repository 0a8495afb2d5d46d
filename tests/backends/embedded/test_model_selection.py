from __future__ import annotations

from pathlib import Path

import pytest

from debugger.backends.embedded.model_selection import (
    default_llm,
    find_script,
    model_for,
    save_script,
    script_text,
)
from debugger.engine.models import HeuristicModel, ScriptedModel
from debugger.engine.models.providers import ProviderModel
from debugger.errors import InputError, SettingsError
from debugger.settings import Settings
from tests.support.factories import say, workflow


def test_script_naming_workflow_is_found(tmp_path):
    (tmp_path / "a.yaml").write_text("version: 1\nworkflow: other\n", encoding="utf-8")
    (tmp_path / "b.yml").write_text("version: 1\nworkflow: tea\ndemo: [Assam]\n", encoding="utf-8")

    assert find_script("tea", tmp_path).demo == ("Assam",)
    assert find_script("nobody's", tmp_path) is None
    assert find_script("nobody's", tmp_path / "not there") is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"version: 1\nworkflow: \xff\n", "a.yaml is not UTF-8"),
        (b"version: 2\n", "a.yaml: line 1, column 1: "),
    ],
)
def test_unusable_script_is_reported_by_file(tmp_path, data, words):
    (tmp_path / "a.yaml").write_bytes(data)

    with pytest.raises(InputError, match=words):
        find_script("tea", tmp_path)


@pytest.mark.parametrize(
    ("wanted", "made", "stands_in"),
    [
        ("rules", HeuristicModel, None),
        ("scripted", ScriptedModel, None),
        ("model", ProviderModel, ScriptedModel),
    ],
)
def test_the_settings_say_what_answers(tmp_path, wanted, made, stands_in):
    made_up = workflow(say("a"), logical_id="tea")
    (tmp_path / "a.yaml").write_text("version: 1\nworkflow: tea\n", encoding="utf-8")

    model = model_for(made_up, Settings(responder=wanted, scripts=str(tmp_path)))

    assert type(model) is made
    assert stands_in is None or type(model.fallback) is stands_in


def test_default_model_has_type_name_address():
    named = default_llm("custom_llm llama3 http://localhost:11434/v1")

    assert named == {"type": "custom_llm", "model": "llama3", "base_url": "http://localhost:11434/v1"}
    assert default_llm(" ") is None
    with pytest.raises(SettingsError, match="The default model 'oracle' cannot be used"):
        default_llm("oracle")


def test_save_script_takes_the_place_of_the_last_one(tmp_path: Path) -> None:
    text = "version: 1\nworkflow: workflow_clinic_front_desk\nanywhere:\n  - say: First\n"
    packaged = script_text("workflow_clinic_front_desk", tmp_path)
    (tmp_path / "other.yaml").write_text(text)

    path = save_script(text.replace("First", "Second"), tmp_path)

    assert packaged.startswith("# Answers for the models")
    assert path == tmp_path / "other.yaml"
    assert script_text("workflow_clinic_front_desk", tmp_path) == text.replace("First", "Second")
    assert [each.name for each in tmp_path.iterdir()] == ["other.yaml"]
    assert (
        save_script(text.replace("clinic", "a/b"), tmp_path / "new").name
        == "workflow_a-b_front_desk.script.yaml"
    )
    with pytest.raises(InputError, match="line 1"):
        save_script("version: 9", tmp_path)
