"""The app: `streamlit run app.py`."""

from __future__ import annotations

import streamlit as st
from starlette.middleware import Middleware

from debugger.views.reading_ahead import ReadAhead
from debugger.views.sending import SendTogether

app = st.App("debugger/views/script.py", middleware=[Middleware(ReadAhead), Middleware(SendTogether)])
