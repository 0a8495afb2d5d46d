from __future__ import annotations

import re

import pytest

from tests.support.planted_changes import CHANGES, confirming_server, report, run_planted


@pytest.fixture(scope="module")
def server():
    with confirming_server() as address:
        yield address


@pytest.mark.parametrize("planted", CHANGES, ids=lambda planted: planted.name)
def test_report_names_planted_change(planted, tmp_path, server):
    before = run_planted(planted, tmp_path / "before", server, is_changed=False)
    found = run_planted(planted, tmp_path / "after", server, is_changed=True)
    text = report(found["changed"])

    assert before["changed"].outcome == "passed", report(before["changed"])
    assert found["changed"].outcome != "passed"
    for words in planted.names:
        assert re.search("|".join(map(re.escape, words.split("|"))), text), (words, text)
    assert found["other"].outcome == "passed"
