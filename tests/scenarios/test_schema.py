from __future__ import annotations

import pytest
import yaml
from jsonschema import Draft202012Validator

from debugger.engine.models import script
from debugger.samples import SAMPLES
from debugger.scenarios.schema import SCHEMAS
from tests.scenarios.test_suite import FILES


def errors_of(kind, text):
    schema = SCHEMAS[kind]()
    Draft202012Validator.check_schema(schema)
    return [error.json_path for error in Draft202012Validator(schema).iter_errors(yaml.safe_load(text))]


def test_schema_fits_scenarios():
    assert FILES
    for file in FILES:
        # A moment is a text in our files, which PyYAML turns into a date.
        text = file.read_text(encoding="utf-8").replace(
            "clock: 2026-03-02T09:00:00Z", "clock: '2026-03-02T09:00:00Z'"
        )
        assert (file.name, errors_of("scenario", text.replace("1990-03-03", "'1990-03-03'"))) == (
            file.name,
            [],
        )


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("version: 2\nname: a\nworkflow: b\nturns: [{say: c}]", "$.version"),
        ("version: 1\nname: a\nworkflow: b\nturns: [{sai: c}]", "$.turns[0]"),
        ("version: 1\nname: a\nworkflow: b\nturns: []", "$.turns"),
        ("version: 1\nname: a\nworkflow: b\nturns: [{say: c}]\nseed: -1", "$.seed"),
    ],
)
def test_scenario_schema_finds_mistakes(text, place):
    assert errors_of("scenario", text) == [place]


def test_scenario_schema_explains_every_kind():
    properties = SCHEMAS["scenario"]()["$defs"]["TextMatch"]["properties"]

    assert [*properties] == ["equals", "contains", "regex", "similar", "at_least", "not"]
    assert properties["similar"]["description"] == "A text whose words are the same for the most part."


def test_script_schema_fits_the_samples():
    texts = [text for sample in SAMPLES if (text := sample.script_text())]

    assert len(texts) == 2
    assert [errors_of("script", text) for text in texts] == [[], []]


def test_script_schema_has_the_keys_that_are_read():
    schema = SCHEMAS["script"]()
    properties = schema["properties"]

    assert [*properties] == [*script._SCRIPT_KEYS]
    assert [*properties["anywhere"]["items"]["properties"]] == [*script._KEYS]
    assert [*properties["answers"]["items"]["properties"]] == [*script._STUB_KEYS]
    assert [*properties["tools"]["additionalProperties"]["items"]["properties"]] == [*script._TOOL_KEYS]


def test_script_schema_finds_mistakes():
    assert errors_of("script", "version: 1\nworkflow: a\nnodes: {b: [{sai: c}]}") == ["$.nodes.b[0]"]
