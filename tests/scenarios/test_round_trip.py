"""Test of the way from a session to a scenario, pytest, a Lex-shaped sheet and back."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from debugger.exports.csv_files import CsvOptions
from debugger.scenarios.editing import read_plain, write_yaml
from debugger.scenarios.lex import scenarios_from_lex, write_lex
from debugger.scenarios.opening import merge_file, open_scenario, read_uploads
from tests.support.scenarios import CONVERSATIONS, draft_of, embedded, talk


def _events(session) -> list[tuple[str, str | None]]:
    return [
        (event.type, event.to_wire().get("origin_node_logical_id"))
        for turn in session.turns
        for event in turn.events
    ]


def test_round_trip_loses_nothing_on_all_samples(tmp_path: Path) -> None:
    backend, sessions, scenarios = embedded(), [], []
    for number, (name, (sample, lines)) in enumerate(CONVERSATIONS.items()):
        session = talk(backend, sample, lines)
        draft = draft_of(session)
        draft.head |= {"name": name, "tags": [f"sample{number}"]}
        draft.proposals = [replace(one, is_ticked=True) for one in draft.proposals]
        (tmp_path / f"{number:02d}.scenario.yaml").write_text(draft.text(), encoding="utf-8")
        sessions.append(session)
        scenarios.append(draft.to_json())

    command = [sys.executable, "-m", "pytest", "-q", "-p", "debugger.scenarios.pytest_plugin", str(tmp_path)]
    child = subprocess.run(
        [*command, "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    sheet = io.BytesIO()
    write_lex(sheet, scenarios, CsvOptions())
    back = scenarios_from_lex(sheet.getvalue(), "all.csv", sessions[0].workflow, "none")

    assert f"{len(CONVERSATIONS)} passed" in child.stdout, child.stdout[-3000:]
    assert back == scenarios
    for scenario, session in zip(back, sessions, strict=True):
        text = write_yaml(scenario)
        ((uploaded,), _) = read_uploads({"a.scenario.yaml": text.encode()}, "")
        opened = open_scenario(uploaded, uploaded.loaded.scenario, backend)
        replay = opened.replay(len(opened.case.turns))
        opened.session.replay_inputs(replay)
        assert replay.wait(120)
        opened.session.poll()
        assert (replay.problem, opened.failure()) == ("", None)
        assert [turn.message for turn in opened.session.turns] == [turn.message for turn in session.turns]
        assert _events(opened.session) == _events(session)
        again = merge_file(draft_of(opened.session), opened)
        assert read_plain(again.text()) == scenario
