from __future__ import annotations

import json
from contextlib import closing

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.boundary import MaskingOptions
from debugger.exports.rows import export_rows
from debugger.exports.sources import RunReader
from debugger.protocol.runs import TurnInput
from debugger.scenarios.loading import load_text
from debugger.scenarios.runner import ScenarioRunner
from debugger.settings import Settings
from debugger.store import Store
from tests.support.companions import lab
from tests.support.exports import NO_MASKING, csv_rows, options, written
from tests.support.factories import document, say

COLUMNS = ("turn", "scenario", "scenario_file", "scenario_tags", "scenario_outcome", "expected", "match")
HEAD = "version: 1\nname: Greeting\ntags: [smoke, desk]\nworkflow: flow.json\n"


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a scenario and returns its stored run."""
    with closing(Store("sqlite://")) as store, closing(EmbeddedBackend(store=store)) as backend:

        def made(workflow, text):
            (tmp_path / "flow.json").write_text(json.dumps(workflow), encoding="utf-8")
            with ScenarioRunner(lambda _: backend, Settings(), store=store) as runner:
                loaded = load_text(HEAD + text, tmp_path, path=tmp_path / "greeting.scenario.yaml")
                [result] = runner.run(loaded)
            return RunReader(backend, store).run(result.repetitions[0].run_id)

        yield made


def rows(run, shape="turn"):
    return csv_rows(written([run], options(shape=shape, masking=NO_MASKING, columns=COLUMNS)))


def test_export_has_scenario_and_its_checks(run, tmp_path):
    found = run(
        document(say("desk"), logical_id="workflow_desk"),
        "turns:\n  - {say: Hello, expect: [{says: Hello}, {says: tea, soft: true}]}\n"
        "  - {say: Bye, expect: [{reached: desk}, {says: cocoa}]}\n",
    )

    first, second = rows(found)
    assert [first[name] for name in COLUMNS[:5]] == [
        "1",
        "Greeting",
        f"{tmp_path.as_posix()}/greeting.scenario.yaml",
        "smoke, desk",
        "failed",
    ]
    assert first["expected"].splitlines()[0] == "a message of the agent in the turn that contains 'Hello'"
    assert (first["match"], second["match"]) == ("pass", "fail")
    assert "; got '[built-in rules: Desk]" in second["expected"].splitlines()[1]


def test_checks_of_masked_variables_are_masked(run):
    checks = (f"{{variable: {{name: dynamic.{name}, equals: May}}}}" for name in ("api_token", "day"))
    values = {"api_token": "hush", "day": "June"}
    found = run(
        document(say("desk"), defaults=values), f"turns: [{{say: Hello, expect: [{', '.join(checks)}]}}]\n"
    )

    masking = MaskingOptions(variables=("day",))
    [row] = csv_rows(written([found], options(shape="turn", masking=masking, columns=COLUMNS)))

    assert row["expected"].splitlines() == ["***; got ***", "[hidden]; got [hidden]"]


def test_checks_are_on_the_last_message_of_their_turn(run):
    found = run(document(say("desk")), "turns: [{say: Hello, expect: [{says: Hello}]}]\n")

    assert [(row["match"], bool(row["expected"])) for row in rows(found, "message")] == [
        ("", False),
        ("pass", True),
    ]


def test_checks_at_the_end_are_of_the_last_turn(run):
    text = "turns: [{say: a}, {say: b}]\nexpect: [{reached: desk}]\n"

    found = rows(run(document(say("desk")), text))

    assert [row["match"] for row in found] == ["", "pass"]


def test_checks_of_background_work_are_of_its_last_step(run):
    clock = "clock: 2026-03-02T09:00:00Z\n"
    turns = "turns: [{say: Hi, expect: [{reached: chat}]}, {advance: 2, expect: [{reached: ready}]}]\n"

    found = run(lab(), clock + turns)

    logs = [row.log.is_background for row in export_rows(found, "turn")]
    assert [row["match"] for row in rows(found)] == ["pass", *[""] * (len(logs) - 2), "pass"]
    assert logs[-1]


def test_run_without_scenario_has_empty_columns():
    with closing(EmbeddedBackend()) as backend:
        stored = backend.create_workflow(document(say("desk")))
        stream = backend.execute(stored.id, TurnInput.with_message("Hello", command="start"))
        list(stream)
        found = RunReader(backend, backend.store).run(stream.finish().run_id)

    [row] = rows(found)
    assert [row[name] for name in COLUMNS[1:]] == [""] * 6
