"""The differences of two values one below the other, texts word by word: for where a table is too wide."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from debugger.analysis.differences import Difference, readable_diff
from debugger.views.components.markdown import plain
from debugger.views.panels.compare.marks import marked, shown

_MOST = 30
_LONGEST = 1_500
"""Characters of one value; the whole stands in what was recorded."""


def difference_list(found: Sequence[Difference]) -> None:
    """Draw the list; nothing where nothing differs."""
    if not found:
        return
    st.markdown("\n".join(f"- {_told(each)}" for each in found[:_MOST]))
    if len(found) > _MOST:
        st.caption(f"and {len(found) - _MOST} more")


def _told(each: Difference) -> str:
    lead = f"**{plain(f'{each.sign} {each.path}')}**  \n  "
    if isinstance(each.before, str) and isinstance(each.after, str) and each.op == "changed":
        pieces = readable_diff(each.before[:_LONGEST], each.after[:_LONGEST])
        return lead + "".join(marked(piece) for piece in pieces)
    sides = [] if each.op == "added" else [f":red-background[− {plain(_cut(each.before))}]"]
    if each.op != "removed":
        sides.append(f":blue-background[+ {plain(_cut(each.after))}]")
    return lead + " ".join(sides)


def _cut(value: object) -> str:
    text = shown(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
