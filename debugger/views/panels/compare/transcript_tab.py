"""What was said in both runs, line beside line, with the words that differ marked."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from debugger.analysis.chat import ChatMessage
from debugger.analysis.comparison.tables import MessagePair
from debugger.analysis.differences import Span
from debugger.session.comparison import SideBySide
from debugger.views.components.markdown import count, plain
from debugger.views.panels.compare import actions
from debugger.views.panels.compare.marks import WORDS, marked

_PAGE = 40
"""Lines on view at once."""
_PAGE_KEY = "compare_lines_page"
_HEIGHT = 600
_ROLES = {
    "user": ":material/person: User",
    "agent": ":material/smart_toy: Agent",
    "warning": ":material/warning: Warning",
    "error": ":material/error: Error",
}


def transcript_tab(seen: SideBySide) -> None:
    """Draw a page of the lines; at first the one on which the words part."""
    lines = seen.lines
    if not lines:
        st.caption("What was said in both runs appears here, line beside line. Nobody has said anything.")
        return
    differing = [place for place, line in enumerate(lines) if line.verdict != "same"]
    pages = -(-len(lines) // _PAGE)
    with st.container(horizontal=True, vertical_alignment="center", key="compare_words_line"):
        st.caption(
            f"{len(differing)} of {count(len(lines), 'line')} differ. "
            ":red-background[− A only] :blue-background[+ B only]",
            width="content",
        )
        page = _page(seen, pages, differing)
    begun = (page - 1) * _PAGE
    with st.container(border=True, height=_HEIGHT, key="compare_words"):
        st.markdown(_table(lines[begun : begun + _PAGE]))


def _page(seen: SideBySide, pages: int, differing: Sequence[int]) -> int:
    if pages < 2:
        return 1
    key = f"{_PAGE_KEY}_{actions.stamp(seen)}"
    return int(st.pagination(pages, key=key, default=(differing[0] if differing else 0) // _PAGE + 1))


def _table(lines: Sequence[MessagePair]) -> str:
    rows = [f"| {_margin(line)} | {_side(line, 'a')} | {_side(line, 'b')} |" for line in lines]
    return "\n".join(["| | A | B |", "| --- | --- | --- |", *rows])


def _margin(line: MessagePair) -> str:
    mark = "" if line.verdict == "same" else f"**{plain(WORDS[line.verdict])}**".replace(" ", "\u00a0")
    return f"Turn {line.turn} {_ROLES[line.role]} {mark}"


def _side(line: MessagePair, side: str) -> str:
    bubble: ChatMessage | None = line.a if side == "a" else line.b
    if bubble is None:
        return ""
    name = f"*{plain(bubble.node_name)}* " if bubble.node_name and bubble.role != "user" else ""
    if line.verdict == "same":
        return name + plain(bubble.text)
    pieces = line.pieces if line.verdict == "changed" else [_alone(bubble, side)]
    other = "added" if side == "a" else "removed"
    return name + "".join(marked(piece) for piece in pieces if piece.op != other).strip()


def _alone(bubble: ChatMessage, side: str) -> Span:
    return Span(bubble.text, "removed" if side == "a" else "added")
