"""Glossary of the help."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import streamlit as st


def glossary() -> None:
    """Draw the words of the page with their meanings."""
    with st.expander("Glossary", key="glossary"):
        st.markdown("\n".join(f"- **{word}**: {meaning}" for word, meaning in glossary_rows()))


@cache
def glossary_rows() -> tuple[tuple[str, str], ...]:
    """Read the words of this product and their meanings from the document."""
    text = (files("debugger") / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.startswith("| ")]
    return tuple((cells[2], cells[4]) for cells in rows[1:] if cells[2])
