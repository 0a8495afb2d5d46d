"""Script and middleware of the page, which every entry point passes to Streamlit."""

from __future__ import annotations

import sys
from pathlib import Path

from starlette.middleware import Middleware

from debugger.errors import DebuggerError
from debugger.settings import read_settings
from debugger.telemetry.logs import configure_logs
from debugger.telemetry.middleware import RequestMiddleware
from debugger.telemetry.spans import start_traces
from debugger.views.auth.login_gate import page_access
from debugger.views.auth.owners import OwnerCookie
from debugger.views.downloads import DownloadRoute
from debugger.views.operations import OperationsRoutes
from debugger.views.replicas import ProcessCookie
from debugger.views.streamlit_patches import is_enabled, middleware
from debugger.views.streamlit_patches.stale_widgets import ignore_stale_widgets

SCRIPT = Path(__file__).parent / "pages" / "script.py"
"""The script that Streamlit runs for each tab."""


def page_middleware() -> list[Middleware]:
    """Return the middleware of the page, the outermost first; exit where it cannot start."""
    try:
        settings = read_settings()
        configure_logs(settings.log_level, settings.log_format)
        start_traces()
        if is_enabled("stale_widgets"):
            ignore_stale_widgets()
        access = page_access()
    except DebuggerError as error:
        sys.exit(f"error: {error}")
    layers = (
        RequestMiddleware,
        access,
        OperationsRoutes,
        OwnerCookie,
        ProcessCookie,
        DownloadRoute,
        *middleware(),
    )
    return [Middleware(layer) for layer in layers]  # type: ignore[arg-type]
