"""How faithful a fork is, as a badge."""

from __future__ import annotations

import streamlit as st

from debugger.session.verification import Fidelity, Verdict
from debugger.views.components.markdown import plain
from debugger.views.components.status_badges import Look
from debugger.views.components.toolbar import Badge

LOOKS: dict[Verdict, Look] = {
    "verified": Look("Verified", ":material/verified:", "green"),
    "approximate": Look("Approximate", ":material/rule:", "orange"),
    "differs": Look("Differs", ":material/difference:", "red"),
    "replayed": Look("Replayed from turn 1", ":material/replay:", "violet"),
    "unchecked": Look("Not checked", ":material/help:", "gray"),
}


def fidelity_item(fidelity: Fidelity) -> Badge:
    """The verdict for a bar; the sentence is in its help."""
    look = LOOKS[fidelity.verdict]
    return Badge(look.word, look.icon, look.colour, help=fidelity.sentence)


def fidelity_badge(fidelity: Fidelity) -> None:
    """Draw the verdict; the sentence is in its help."""
    item = fidelity_item(fidelity)
    st.badge(item.text, icon=item.icon, color=item.colour, help=plain(item.help))
