"""Both runs in figures, and where they part."""

from __future__ import annotations

import streamlit as st

from debugger.analysis.comparison.alignment import KINDS
from debugger.analysis.comparison.comparison import Comparison, Totals
from debugger.exports.csv_files import comparison_csv
from debugger.session.comparison import SideBySide
from debugger.session.loading import RecordedRun
from debugger.views.audit import audited_file
from debugger.views.components.markdown import count, plain
from debugger.views.components.status_badges import LOOKS

_HEAD = ("", "Run", "Engine", "Version", "Status", "Turns", "Events", "Duration", "Tokens")
_RIGHT = frozenset({"Turns", "Events", "Duration", "Tokens"})


def header(seen: SideBySide) -> None:
    """Draw the sentence and the table."""
    is_same = seen.comparison.first is None
    icon = ":material/check_circle:" if is_same else ":material/call_split:"
    (st.success if is_same else st.warning)(plain(seen.sentence), icon=icon)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="compare_header"):
        st.markdown(_table(seen), width="content")
        with st.container(gap="xsmall", width="stretch", key="compare_differing"):
            _differing(seen.comparison)
            st.download_button(
                "Download CSV",
                key="compare_csv",
                data=audited_file(
                    lambda: comparison_csv(seen.comparison, seen.names),
                    seen.a.run.workflow_run_id,
                    format="comparison",
                    other_run_id=seen.b.run.workflow_run_id,
                ),
                file_name=f"compare-{seen.a.run.workflow_run_id}-{seen.b.run.workflow_run_id}.csv",
                mime="text/csv; charset=utf-8",
                icon=":material/download:",
                on_click="ignore",
                help="The rows of the comparison, as they are with what is ignored now",
            )


def _table(seen: SideBySide) -> str:
    one, other = seen.totals
    rows = [
        ("**A**", *_of(seen.a, one)),
        ("**B**", *_of(seen.b, other)),
        ("**B − A**", "", "", _versions(seen), "", *_deltas(one, other)),
    ]
    lines = ["--:" if name in _RIGHT else "---" for name in _HEAD]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (_HEAD, lines, *rows))


def _of(run: RecordedRun, totals: Totals) -> tuple[str, ...]:
    look = LOOKS[run.run.status]
    return (
        f"`{run.run.workflow_run_id}`",
        plain(run.engine),
        f"{plain(run.workflow.name)} v{run.run.version_number}",
        f"{look.icon} {look.word}",
        str(totals.turns),
        str(totals.events),
        _milliseconds(totals.milliseconds),
        "–" if totals.tokens is None else str(totals.tokens),
    )


def _versions(seen: SideBySide) -> str:
    if seen.a.run.workflow_id != seen.b.run.workflow_id:
        return "other workflow"
    return "same" if seen.a.run.version_number == seen.b.run.version_number else "other version"


def _deltas(one: Totals, other: Totals) -> tuple[str, ...]:
    spent = None
    if one.milliseconds is not None and other.milliseconds is not None:
        spent = other.milliseconds - one.milliseconds
    tokens = None if one.tokens is None or other.tokens is None else other.tokens - one.tokens
    return (
        _signed(other.turns - one.turns),
        _signed(other.events - one.events),
        _milliseconds(spent, signed=True),
        "–" if tokens is None else _signed(tokens),
    )


def _differing(found: Comparison) -> None:
    st.markdown(f"**{len(found.differing)}** of {count(len(found.rows), 'row')} differ")
    told = [f"{kind} {found.kinds[kind]}" for kind in KINDS if kind in found.kinds]
    if told:
        st.markdown(" ".join(f":gray-badge[{one}]" for one in told))


def _signed(number: int) -> str:
    return f"{number:+d}".replace("-", "−") if number else "0"


def _milliseconds(spent: float | None, *, signed: bool = False) -> str:
    if spent is None:
        return "–"
    size, sign = abs(spent), ("+" if spent > 0 else "−") if signed and spent else ""
    return f"{sign}{size / 1000:.2f} s" if size >= 1000 else f"{sign}{size:.1f} ms"
