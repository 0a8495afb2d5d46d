from __future__ import annotations

from contextlib import closing

import pytest

from debugger.errors import EditConflictError, InputError
from debugger.store import Store
from debugger.store.demo_scripts import MAX_LINE_CHARACTERS, MAX_LINES
from debugger.store.edited_tables import NEVER_WRITTEN

TEA = "665f0c2b9a3e4d5f6a7b8c90"


def test_script_is_read_as_saved(url):
    with closing(Store(url)) as store:
        store.demo_scripts.save(
            "", TEA, ["Good  morning.", "", "  ", "Ärger 🫖", "Good morning."], expected=NEVER_WRITTEN
        )

    with closing(Store(url)) as store:
        assert store.demo_scripts.lines("", TEA) == ["Good morning.", "Ärger 🫖", "Good morning."]


def test_script_belongs_to_one_connection(store):
    store.demo_scripts.save("staging", TEA, ["Hello."], expected=NEVER_WRITTEN)
    first = store.demo_scripts.save("", TEA, ["Hi."], expected=NEVER_WRITTEN)
    store.demo_scripts.save("", TEA, ["Hi there."], expected=first)

    assert store.demo_scripts.lines("staging", TEA) == ["Hello."]
    assert store.demo_scripts.lines("", TEA) == ["Hi there."]
    assert store.demo_scripts.lines("", "another") == []


def test_script_changed_meanwhile_is_not_replaced(store):
    store.demo_scripts.save("", TEA, ["Theirs."], expected=NEVER_WRITTEN)

    with pytest.raises(EditConflictError, match="changed meanwhile; nothing was stored"):
        store.demo_scripts.save("", TEA, ["Mine."], expected=0)
    refused = store.demo_scripts.stored("", TEA)
    store.demo_scripts.save("", TEA, ["Mine."], expected=refused.revision)

    assert (refused.content, store.demo_scripts.lines("", TEA)) == (["Theirs."], ["Mine."])


def test_empty_script_is_deleted(store):
    first = store.demo_scripts.save("", TEA, ["Hello."], expected=NEVER_WRITTEN)
    store.demo_scripts.save("", TEA, [" "], expected=first)

    assert store.demo_scripts.lines("", TEA) == []


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (["a"] * (MAX_LINES + 1), "The demo script has 101 lines."),
        (["a", "", "b" * (MAX_LINE_CHARACTERS + 1)], "Line 3 of the demo script has 2001 characters."),
    ],
)
def test_script_beyond_limits_is_refused(store, lines, error):
    store.demo_scripts.save("", TEA, ["Hello."], expected=NEVER_WRITTEN)

    with pytest.raises(InputError, match=error):
        store.demo_scripts.save("", TEA, lines, expected=NEVER_WRITTEN)

    assert store.demo_scripts.lines("", TEA) == ["Hello."]
