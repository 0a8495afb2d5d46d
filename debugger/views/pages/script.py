"""Script that Streamlit runs for each tab.

Beside a folder ``pages``, Streamlit would take the files in it for pages of its own.
"""

from __future__ import annotations

from debugger.views.shell import run

run()
