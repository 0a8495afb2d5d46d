"""Entries of scenarios in the menu of a run, and their dialogs."""

from __future__ import annotations

from debugger.views.components.toolbar import Button, Text
from debugger.views.panels.scenarios.open import open_dialog, open_scenario_button
from debugger.views.panels.scenarios.save import save_dialog, save_scenario_button
from debugger.views.run_view import RunView


def scenario_items(view: RunView) -> list[Button | Text]:
    """Return the entries of the menu."""
    return [Text("Scenario", look="heading"), save_scenario_button(view), open_scenario_button()]


def scenario_dialogs() -> None:
    """Draw the dialog that is open."""
    save_dialog()
    open_dialog()
