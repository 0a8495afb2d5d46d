"""The app of an installation: ``workflow-debugger app``."""

from __future__ import annotations

import streamlit as st

from debugger.views.middleware import SCRIPT, page_middleware

app = st.App(SCRIPT, middleware=page_middleware())
