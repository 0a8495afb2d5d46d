"""The app: `streamlit run app.py`."""

from __future__ import annotations

import sys

import streamlit as st
from starlette.middleware import Middleware

from debugger.errors import DebuggerError
from debugger.views.auth.login_gate import page_access
from debugger.views.auth.owners import OwnerCookie
from debugger.views.streamlit_patches.batch_messages import SendTogether
from debugger.views.streamlit_patches.component_assets import OwnFiles
from debugger.views.streamlit_patches.dedupe_triggers import ToldOnce
from debugger.views.streamlit_patches.prefetch import ReadAhead

try:
    access = page_access()
except DebuggerError as error:
    sys.exit(f"error: {error}")

others = [Middleware(each) for each in (OwnerCookie, OwnFiles, ReadAhead, SendTogether, ToldOnce)]
app = st.App("debugger/views/pages/script.py", middleware=[Middleware(access), *others])
