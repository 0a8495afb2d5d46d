"""The app: `streamlit run app.py`."""

from __future__ import annotations

import sys

import streamlit as st
from starlette.middleware import Middleware

from debugger.errors import DebuggerError
from debugger.views.auth.login_gate import page_access
from debugger.views.auth.owners import OwnerCookie
from debugger.views.downloads import DownloadRoute
from debugger.views.streamlit_patches import middleware

try:
    access = page_access()
except DebuggerError as error:
    sys.exit(f"error: {error}")

layers = [access, OwnerCookie, DownloadRoute, *middleware()]
app = st.App("debugger/views/pages/script.py", middleware=[Middleware(layer) for layer in layers])
