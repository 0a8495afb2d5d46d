from __future__ import annotations

import pytest

from debugger.protocol.notes import Target
from debugger.protocol.reviews import Verdict
from debugger.views.panels.runs.rows import duration_words, verdict_words


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (None, ""),
        (0, "0.0 s"),
        (1_240, "1.2 s"),
        (59_400, "59 s"),
        (65_000, "1 m 5 s"),
        (3_720_000, "1 h 2 m"),
        (90_000_000, "1 d 1 h"),
    ],
)
def test_duration_has_two_units(milliseconds, words):
    assert duration_words(milliseconds) == words


def test_verdicts_on_the_run_come_before_those_on_its_parts():
    own = Verdict(run_id="1", target=Target(), value="fail", reviewer="ada")
    part = Verdict(run_id="1", target=Target.turn(1), value="pass", reviewer="ada")

    assert verdict_words([]) == []
    assert verdict_words([part, own, own]) == ["Fail"]
    assert verdict_words([part, part]) == ["on 2 parts"]


def test_rows_tell_runs_apart(app, walks):
    walks(3)
    app.run()

    table = app.dataframe("runs").value
    assert all(table["first"]) and all(table["last"].str.startswith("You are at"))
    assert set(table["workflow"]) == {"Vet desk"}
    assert set(table["by"]) == {"ada", "bob"}
    assert all(table["duration"].str.endswith("s"))
    assert set(table["place"]) == {"Embedded engine"}
