from __future__ import annotations

import pytest
from streamlit.elements.lib.shortcut_utils import normalize_shortcut

from debugger.views.shortcuts import SHORTCUTS, ShortcutState, keys, keys_table
from tests.views.records import keep_records


@pytest.fixture
def chosen(monkeypatch):
    chosen = ShortcutState()
    keep_records(monkeypatch, chosen)
    return chosen


@pytest.mark.parametrize("name", SHORTCUTS)
def test_streamlit_takes_every_shortcut(name):
    assert normalize_shortcut(SHORTCUTS[name].keys)


@pytest.mark.parametrize("other_page", ["Present", "Review"])
def test_no_two_shortcuts_of_a_page_share_keys(other_page):
    debug = [each for each in SHORTCUTS.values() if each.group not in ("Present", "Review")]
    own = [each for each in SHORTCUTS.values() if each.group in (other_page, "Anywhere")]

    for shown in (debug, own):
        written = [normalize_shortcut(shortcut.keys) for shortcut in shown]
        assert len(set(written)) == len(written)


def test_keys_that_are_typed_like_text_can_be_switched_off(chosen):
    chosen.has_plain_keys = False

    assert keys("skin") is None
    assert keys("play") is None
    assert keys("start") == "Ctrl+Enter"


def test_shortcuts_work_at_first(chosen):
    assert keys("skin") == "Shift+E"


@pytest.mark.parametrize("key", ["B", "U", "Shift and arrow keys"])
def test_keys_of_graph_are_listed(key):
    graph = keys_table().partition("## Graph")[2].partition("##")[0]

    assert f"| `{key}` |" in graph
