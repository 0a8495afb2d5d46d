"""What the controls of the export do."""

from __future__ import annotations

from debugger.views import state


def open_exports() -> None:
    """Show the formats in which the run on view can be saved."""
    state.page().shows_exports = True


def close_exports() -> None:
    """Leave them."""
    state.page().shows_exports = False
