from __future__ import annotations

from debugger.views.shortcuts import BUILT_IN, SHORTCUTS, ShortcutState
from tests.views.bars import use
from tests.views.records import record_of


def test_help_lists_every_shortcut(app):
    app.run()

    use(app, "help")

    assert not app.exception
    told = " ".join(markdown.value for markdown in app.markdown)
    for shortcut in (*SHORTCUTS.values(), *BUILT_IN):
        assert f"`{shortcut.keys}`" in told


def test_plain_keys_are_switched_off_for_tab(app):
    app.run()
    use(app, "help")

    use(app, "has_plain_keys", False)

    assert record_of(app, ShortcutState).has_plain_keys is False
