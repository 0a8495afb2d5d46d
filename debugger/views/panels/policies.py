"""What a person should know of a run's calls to the outside before it begins."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.outbound_policies import HOSTED_NOTICE, policy_rows, policy_summary
from debugger.errors import DebuggerError
from debugger.settings import Settings, read_settings
from debugger.views import state
from debugger.views.components.tables import ROW
from debugger.views.run_view import Reading


def policies_of(now: Reading) -> str:
    """In one line, what answers for models and which calls are let out."""
    if state.page().backend_name != "embedded":
        return HOSTED_NOTICE
    try:
        return policy_summary(read_settings(), has_script=now.is_scripted)
    except DebuggerError:
        return ""  # the page Connection tells what is wrong with the settings


def policy_table(settings: Settings) -> None:
    """Draw the policy of each class of calls."""
    rows = policy_rows(settings)
    st.dataframe(
        {
            "class": [row.call_class for row in rows],
            "what": [row.what for row in rows],
            "policy": [f"{row.policy}: {row.meaning}" for row in rows],
            "setting": [row.setting for row in rows],
        },
        key="policies",
        hide_index=True,
        row_height=ROW,
        column_config={
            "class": st.column_config.TextColumn("Class", width=80),
            "what": st.column_config.TextColumn("Calls outside", width=210),
            "policy": st.column_config.TextColumn("What happens", width=190),
            "setting": st.column_config.TextColumn("Set by", width=300),
        },
        alt="Policy of each class of calls to the outside, and the variable that sets it",
    )
