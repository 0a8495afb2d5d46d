"""The app: `streamlit run app.py`."""

from __future__ import annotations

from debugger.views.shell import run

run()
