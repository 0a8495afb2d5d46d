"""The app: `streamlit run app.py`."""

from __future__ import annotations

import sys

import streamlit as st
from starlette.middleware import Middleware

from debugger.errors import DebuggerError
from debugger.views.access import page_access
from debugger.views.own_files import OwnFiles
from debugger.views.owners import OwnerCookie
from debugger.views.reading_ahead import ReadAhead
from debugger.views.sending import SendTogether
from debugger.views.told_once import ToldOnce

try:
    access = page_access()
except DebuggerError as error:
    sys.exit(f"error: {error}")

others = [Middleware(each) for each in (OwnerCookie, OwnFiles, ReadAhead, SendTogether, ToldOnce)]
app = st.App("debugger/views/script.py", middleware=[Middleware(access), *others])
