"""Tests of scenarios that are opened as sessions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from debugger.backends.base import Capabilities
from debugger.errors import InputError, NotFoundError
from debugger.scenarios.editing import read_plain
from debugger.scenarios.loading import load_scenario
from debugger.scenarios.opening import OpenedScenario, merge_file, open_scenario, read_uploads
from tests.support.scenarios import CONVERSATIONS, draft_of, embedded, talk

BOOKING = """\
# The booking, begun.
version: 1
name: Booking
workflow: workflow_clinic_front_desk
turns:
  - say: Hi, I'd like to book an appointment, please.
    expect:
      # As in the leaflet.
      - says: Thank you for calling
      - status: waiting_for_user_input
  - say: My name is Ada Moreno, and I was born on March 3, 1990.
    expect:
      - variable: {name: runtime.full_name, equals: Ada Moreno}
  - say: Before I go on, what are your opening hours?
    expect:
      - reached: Opening hours
expect:
  - at_most: {turns: 3}
"""
"""A file with comments."""


def _opened(text: str = BOOKING, backend=None) -> OpenedScenario:
    ((uploaded,), _) = read_uploads({"booking.scenario.yaml": text.encode()}, "")
    return open_scenario(uploaded, uploaded.loaded.scenario, backend or embedded())


def _send(opened: OpenedScenario, up_to: int) -> str:
    replay = opened.replay(up_to)
    opened.session.replay_inputs(replay)
    assert replay.wait(60)
    opened.session.poll()
    assert opened.session.error is None
    return replay.problem


def _results(opened: OpenedScenario) -> list[tuple[int | None, bool, list[bool]]]:
    return [(turn.number, turn.is_over, [check.passed for check in turn.checks]) for turn in opened.checks()]


def test_open_scenario_sends_turns_up_to_one() -> None:
    opened = _opened()

    _send(opened, 2)

    assert opened.sent == 2
    assert [turn.message for turn in opened.session.turns] == [turn.say for turn in opened.case.turns[:2]]
    assert _results(opened) == [(1, True, [True, True]), (2, True, [True]), (3, False, []), (None, False, [])]
    _send(opened, 3)
    assert _results(opened)[2:] == [(3, True, [True]), (None, True, [True])]
    assert opened.failure() is None


def test_open_scenario_stops_at_a_failed_turn() -> None:
    opened = _opened(BOOKING.replace("equals: Ada Moreno", "equals: Bob"))

    problem = _send(opened, 3)

    assert problem == "Turn 2 is not as expected: the next ones were not sent."
    assert opened.sent == 2
    failed = opened.failure()
    assert failed is not None
    assert (failed.turn, failed.got) == (2, '"Ada Moreno"')
    assert opened.session.turn_of(failed.event) == 2
    _send(opened, 3)
    assert opened.sent == 3


def test_open_scenario_is_continued_by_hand() -> None:
    opened = _opened()
    _send(opened, 1)

    opened.session.send("Can I talk to a real person?")
    opened.session.wait()

    assert _results(opened)[1:] == [(2, False, []), (3, False, []), (None, False, [])]
    assert opened.checks()[1].error == "Turn 2 was another one, said by hand: it is not checked."


def test_open_scenario_sets_clock_and_seed() -> None:
    text = BOOKING.replace("turns:\n", "clock: 2026-03-01T09:30:00Z\nseed: 7\nturns:\n", 1)
    values = []
    for _ in range(2):
        opened = _opened(text)
        _send(opened, 1)
        wire = opened.session.backend.run(opened.session.run_id).input_output_pairs[0].run_input
        values.append({name: wire["dynamic_variables"][name] for name in ("iso_datetime", "rand_int")})

    assert values[0] == values[1]
    assert values[0]["iso_datetime"].startswith("2026-03-01T09:30:00")


def test_open_scenario_sets_mocks_and_script() -> None:
    mock = "mocks:\n  - node: Opening hours\n    output: {says: [Always open.]}\n"
    text = BOOKING.replace("turns:\n", f"script: own.script.yaml\n{mock}turns:\n", 1)
    rule = "anywhere:\n  - when: hours\n    take: node_opening_hours\n"
    script = f"version: 1\nworkflow: workflow_clinic_front_desk\n{rule}"
    files = {"booking.scenario.yaml": text.encode(), "own.script.yaml": script.encode()}
    ((uploaded,), _) = read_uploads(files, "")

    opened = open_scenario(uploaded, uploaded.loaded.scenario, embedded())
    opened.session.send("What are your hours?")
    opened.session.wait()

    assert [mock.target.name for mock in opened.session.mocks.all] == ["node_opening_hours"]
    says = [
        event.to_wire()["content"]
        for event in opened.session.turns[0].events
        if event.type == "assistant_response"
    ]
    assert says[-1] == "Always open."


def test_open_scenario_refuses_what_a_backend_lacks() -> None:
    class Other:
        capabilities = Capabilities()

    text = BOOKING.replace("turns:\n", "seed: 7\nturns:\n", 1)
    with pytest.raises(InputError, match="needs a seed"):
        _opened(text, Other())
    with pytest.raises(NotFoundError, match="workflow_none"):
        _opened(BOOKING.replace("workflow_clinic_front_desk", "workflow_none"))


def test_upload_with_capital_ending_is_read() -> None:
    ((uploaded,), _) = read_uploads({"BOOKING.SCENARIO.YAML": BOOKING.encode()}, "")

    assert uploaded.loaded.scenario.name == "Booking"


def test_read_uploads_reports_mistakes_with_their_place() -> None:
    files = {
        "a.scenario.yaml": BOOKING.replace("workflow:", "workflw:").encode(),
        "b.scenario.yaml": b"\xff\xfe\x00",
    }

    scenarios, errors = read_uploads(files, "")

    assert scenarios == []
    assert errors[0].message.startswith("a.scenario.yaml:2:1: ")
    assert "\na.scenario.yaml:4:1: workflw" in errors[0].message
    assert errors[1].message == "The file b.scenario.yaml is not UTF-8."
    with pytest.raises(InputError, match="no scenario among the files"):
        read_uploads({"a.script.yaml": b"version: 1"}, "")


@pytest.mark.parametrize("name", ["/", "..", "a\0.yaml", "a" * 300 + ".yaml", "\ud800.yaml"])
def test_read_uploads_refuses_impossible_names(name: str) -> None:
    scenarios, errors = read_uploads({name: BOOKING.encode(), "b.scenario.yaml": BOOKING.encode()}, "")

    assert [each.loaded.path.name for each in scenarios] == ["b.scenario.yaml"]
    assert [str(error)[:26] for error in errors] == ["No file can have the name "]


def test_read_uploads_opens_the_files_beside_a_bad_one() -> None:
    bad = BOOKING.replace("turns:\n", "rows: gone.csv\nturns:\n", 1)
    files = {name: text.encode() for name, text in (("a.yaml", BOOKING), ("b.yaml", bad), ("c.yml", BOOKING))}

    scenarios, errors = read_uploads(files, "")

    assert [each.loaded.path.name for each in scenarios] == ["a.yaml", "c.yml"]
    [error] = errors
    assert "gone.csv" in error.message
    assert "b.yaml" in error.message


def test_read_uploads_replaces_the_path_of_a_workflow() -> None:
    text = BOOKING.replace("workflow_clinic_front_desk", "../flows/clinic.json")

    ((uploaded,), _) = read_uploads({"a.scenario.yaml": text.encode()}, "workflow_clinic_front_desk")

    assert uploaded.loaded.scenario.workflow == "workflow_clinic_front_desk"
    assert uploaded.note == "The workflow on view takes the place of ../flows/clinic.json."
    assert uploaded.loaded.text == text


def test_merge_file_changes_only_what_is_loosened() -> None:
    opened = _opened()
    _send(opened, 3)

    draft = merge_file(draft_of(opened.session), opened)
    assert draft.text() == BOOKING
    place, row = next((at, one) for at, one in enumerate(draft.proposals) if one.turn == 2 and one.is_ticked)
    draft.proposals[place] = row.with_match("has a value")
    at = next(at for at, one in enumerate(draft.proposals) if (one.turn, one.kind) == (3, "status"))
    draft.proposals[at] = replace(draft.proposals[at], is_ticked=True)

    lines, before = draft.text().splitlines(), BOOKING.splitlines()
    assert [line for line in before if line not in lines] == [
        "      - variable: {name: runtime.full_name, equals: Ada Moreno}"
    ]
    assert [line for line in lines if line not in before] == [
        "      - variable: {name: runtime.full_name, absent: false}",
    ]
    assert lines.count("      - status: waiting_for_user_input") == 2


def test_merge_file_unticks_what_failed() -> None:
    text = BOOKING.replace("reached: Opening hours", "says: {equals: Closed}").replace("turns: 3", "turns: 1")
    opened = _opened(text)
    _send(opened, 3)

    draft = merge_file(draft_of(opened.session), opened)

    failed = [(one.turn, one.kind, one.is_ticked) for one in draft.proposals if one.has_failed]
    assert failed == [(3, "says", False), (None, "at_most", False)]
    assert "2 of the file's expectations do not hold for this run: they are not ticked." in draft.notes
    assert "Closed" not in draft.text()
    assert "says: Thank you for calling" in draft.text()


@pytest.mark.parametrize(
    ("sent", "end", "is_ticked"),
    [(3, "at_most: {turns: 3}", False), (3, "status: completed", True), (1, "at_most: {turns: 1}", False)],
)
def test_merge_file_checks_the_end_of_all_turns(sent: int, end: str, is_ticked: bool) -> None:
    opened = _opened(BOOKING.replace("at_most: {turns: 3}", end))
    _send(opened, sent)
    opened.session.send("Can I talk to a real person?")
    opened.session.wait()

    draft = merge_file(draft_of(opened.session), opened)

    of_file = [one for one in draft.proposals if one.turn is None and one.to_json() == read_plain(end)]
    assert [one.is_ticked for one in of_file] == [is_ticked]


def test_merge_file_adds_turns_said_by_hand() -> None:
    opened = _opened()
    _send(opened, 1)
    opened.session.send("Can I talk to a real person?")
    opened.session.wait()

    found = read_plain(merge_file(draft_of(opened.session), opened).text())

    assert [turn["say"] for turn in found["turns"]] == [
        "Hi, I'd like to book an appointment, please.",
        "Can I talk to a real person?",
    ]
    assert {"path": ["Booking intake", "Person"]} in found["turns"][1]["expect"]
    assert found["expect"] == [{"at_most": {"turns": 3}}]


def test_open_scenario_checks_background_work() -> None:
    text = (
        "version: 1\nname: Waits\nworkflow: workflow_lab_results\nclock: 2026-03-01T09:30:00Z\nturns:\n"
        "  - say: My name is Ben Okonkwo, and I was born on 12 June 1984.\n"
        "  - advance: 8\n    expect:\n      - says: results\n"
    )
    opened = _opened(text)

    problem = _send(opened, 2)

    assert (problem, opened.sent) == ("", 2)
    assert any(turn.is_background for turn in opened.session.turns)
    assert _results(opened)[1][1]


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_saved_run_is_opened_and_passes(name: str) -> None:
    backend = embedded()
    text = draft_of(talk(backend, *CONVERSATIONS[name])).text()

    opened = _opened(text, backend)
    _send(opened, len(opened.case.turns))

    assert all(is_over and all(passed) for _, is_over, passed in _results(opened))
    again = merge_file(draft_of(opened.session), opened)
    assert again.text() == text


@pytest.mark.parametrize("line", ["rows: {path}", "script: {path}", "rows: !!str {path}", "? rows\n: {path}"])
def test_read_uploads_reads_no_file_of_the_server(tmp_path: Path, line: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("question\nhunter2\n")
    text = BOOKING.replace("turns:\n", line.format(path=secret) + "\nturns:\n", 1)

    scenarios, [error] = read_uploads({"a.scenario.yaml": text.encode()}, "")

    assert scenarios == []
    assert "hunter2" not in str(error)


def test_confined_scenario_names_files_beside_it_only(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "rows.csv").write_text("question\nHello\n")
    file = tmp_path / "inner" / "a.scenario.yaml"
    file.write_text(BOOKING.replace("turns:\n", "rows: ../rows.csv\nturns:\n", 1))

    assert load_scenario(file).rows == [{"question": "Hello"}]
    with pytest.raises(InputError, match="in another folder"):
        load_scenario(file, is_confined=True)


def test_read_uploads_takes_keys_as_texts() -> None:
    text = BOOKING.replace(
        "turns:\n", "input: {dynamic_variables: {1: one, true: two, key: three}}\nturns:\n", 1
    )

    ((uploaded,), _) = read_uploads({"booking.scenario.yaml": text.encode()}, "")

    found = {"1": "one", "true": "two", "key": "three"}
    assert uploaded.loaded.scenario.input == {"dynamic_variables": found}
    assert read_plain(text)["input"] == {"dynamic_variables": found}
