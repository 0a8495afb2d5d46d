"""What Streamlit runs for each tab: the app from its head to its last pane."""

from __future__ import annotations

from debugger.views.shell import run

run()
