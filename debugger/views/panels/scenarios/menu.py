"""Entries of scenarios in the menu of a run, and their dialogs."""

from __future__ import annotations

from debugger.views.components.toolbar import Button, Text
from debugger.views.panels.scenarios.open import open_dialog, open_scenario_button
from debugger.views.panels.scenarios.save import save_dialog, save_scenario_button
from debugger.views.panels.scenarios.script import script_button, script_dialog
from debugger.views.run_view import RunView


def scenario_items(view: RunView) -> list[Button | Text]:
    """Return the entries of the menu."""
    heading = Text("Scenario", look="heading")
    return [heading, save_scenario_button(view), open_scenario_button(), script_button(view.session)]


def scenario_dialogs() -> None:
    """Draw the dialog that is open."""
    save_dialog()
    open_dialog()
    script_dialog()
