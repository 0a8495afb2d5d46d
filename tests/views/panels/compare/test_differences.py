from __future__ import annotations

import streamlit as st

from debugger.analysis.differences import Difference
from debugger.views.panels.compare.differences import difference_list


def test_change_late_in_a_long_text_is_shown(monkeypatch):
    drawn = []
    monkeypatch.setattr(st, "markdown", drawn.append)
    lead = "word " * 1_000

    difference_list([Difference("prompt", f"{lead}old {lead}", f"{lead}new {lead}", "changed")])

    assert "[− old]" in drawn[0]
    assert "[+ new]" in drawn[0]
    assert len(drawn[0]) < 4_000
