"""The app in a checkout: `streamlit run app.py`."""

from __future__ import annotations

import streamlit as st

from debugger.views.middleware import SCRIPT, page_middleware

app = st.App(SCRIPT, middleware=page_middleware())  # written here, since Streamlit looks for it in this file
