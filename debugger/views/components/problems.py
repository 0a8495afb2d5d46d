"""What is wrong with a workflow, as a list."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from debugger.graph.checks import Problem
from debugger.views.components.markdown import count, plain

_MOST_SHOWN = 30
_LOOKS = {"error": ("red", ":material/error:"), "warning": ("orange", ":material/warning:")}


def problems_title(problems: Sequence[Problem]) -> str:
    """How many there are, by level."""
    errors = sum(problem.level == "error" for problem in problems)
    warnings = len(problems) - errors
    told = [(errors, "error"), (warnings, "warning")]
    return ", ".join(count(number, noun) for number, noun in told if number)


def show_problems(problems: Sequence[Problem]) -> None:
    """Draw the list."""
    for problem in problems[:_MOST_SHOWN]:
        colour, icon = _LOOKS[problem.level]
        sentence, _, excerpt = problem.message.partition("\n")
        st.caption(f":{colour}[{icon}] {plain(sentence)} {plain(problem.advice)}")
        if excerpt:
            st.code(excerpt, language=None)
    if len(problems) > _MOST_SHOWN:
        st.caption(f"and {len(problems) - _MOST_SHOWN} more")
