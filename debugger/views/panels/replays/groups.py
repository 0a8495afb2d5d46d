"""The results of a replay in a sentence, and its groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from debugger.graph.labels import clean
from debugger.replays.groups import ReplayGroup
from debugger.replays.results import VERDICT_LABELS, ReplayVerdict
from debugger.store import StoredReplay
from debugger.views.components.markdown import count
from debugger.views.components.rows import Cell, Column, Columns, rows_list, table
from debugger.views.components.toolbar import Badge, Colour, Text, bar
from debugger.views.panels.replays import actions

COLOURS: Mapping[ReplayVerdict, Colour] = {
    "same": "green",
    "words": "blue",
    "variables": "violet",
    "path": "orange",
    "failed": "red",
    "needs_model": "gray",
    "not_comparable": "gray",
}
_WORDS: Mapping[ReplayVerdict, tuple[str, str]] = {
    "same": ("the same", "the same"),
    "path": ("on another path", "on another path"),
    "words": ("with other words", "with other words"),
    "variables": ("with other variables", "with other variables"),
    "failed": ("failed", "failed"),
    "needs_model": ("needs a model", "need a model"),
    "not_comparable": ("not comparable", "not comparable"),
}
"""For one run and for several; in the order of the sentence."""
_KNOWN: Sequence[ReplayVerdict] = ("words", "variables", "path", "failed")
"""The verdicts of runs that differ for certain; the others but ``same`` say nothing on that."""
MOST_ROWS = 5
"""Groups in sight at once."""


def summary_bar(stored: StoredReplay, opened: Counter[str]) -> None:
    """Draw the results of a replay in a sentence, and whether anything differs that is not accepted.

    Args:
        stored: The replay.
        opened: Results by verdict, without groups that are accepted.
    """
    differing = sum(opened[verdict] for verdict in _KNOWN)
    unknown = opened.total() - opened["same"] - differing
    verb = "differs" if differing == 1 else "differ"
    if stored.is_running:
        status = Badge("Running", ":material/hourglass_empty:", "blue", is_status=True)
    elif not stored.is_complete:
        status = Badge("Not complete", ":material/hourglass_empty:", "gray", is_status=True)
    elif differing:
        status = Badge(f"{count(differing, 'run')} {verb}", ":material/call_split:", "orange", is_status=True)
    elif not stored.counts:
        status = Badge("No result", ":material/question_mark:", "gray", is_status=True)
    elif unknown:
        words = f"{count(unknown, 'run')} not compared"
        status = Badge(words, ":material/question_mark:", "gray", is_status=True)
    else:
        status = Badge("Nothing new differs", ":material/check:", "green", is_status=True)
    bar("replay_summary", [status, Text(summary_words(stored, opened), look="message")], low=True)


def summary_words(stored: StoredReplay, opened: Counter[str]) -> str:
    """Return the results in a sentence: ``300 runs on version 7: 240 the same, 40 on another path``.

    Differences that are accepted are counted apart, as are runs without a result.
    """
    words = [
        f"{opened[verdict]:,} {_WORDS[verdict][opened[verdict] != 1]}"
        for verdict in _WORDS
        if opened[verdict]
    ]
    accepted = stored.counts.total() - opened.total()
    if accepted:
        words.append(f"{accepted:,} accepted")
    missing = stored.selected - stored.counts.total()
    if missing:
        words.append(f"{missing:,} without a result")
    lead = f"{count(stored.selected, 'run')} on {version_words(stored)}"
    return f"{lead}: {', '.join(words)}" if words else lead


def version_words(stored: StoredReplay) -> str:
    """Return the version on which runs were replayed: ``version 7``, or the name of its file."""
    return stored.target.file or f"version {stored.target.version_number}"


def chosen_group(groups: Sequence[ReplayGroup], key: str) -> ReplayGroup | None:
    """Return the group with a key, else the first that is not accepted, else the first one."""
    opened = (group for group in groups if group.acceptance is None)
    return (
        next((group for group in groups if group.key == key), None)
        or next(opened, None)
        or next(iter(groups), None)
    )


def group_list(groups: Sequence[ReplayGroup], chosen: str) -> None:
    """Draw a row for each group; one that is chosen is shown below."""
    columns: Columns[ReplayGroup] = [
        (Column("verdict", "Verdict", 124, "chip"), _verdict),
        (Column("runs", "Runs", 56, "number"), lambda group: f"{group.count:,}"),
        (Column("where", "Where", 150, help="The node of the first difference"), where),
        (Column("what", "What, instead of what", 260, grows=True), what),
        (
            Column(
                "since", "Since the change", 200, grows=True, help="What differs there between the versions"
            ),
            since,
        ),
        (Column("accepted", "Accepted by", 110, "chip"), _accepted),
    ]
    shown = table("Groups of runs that differ for the same cause", groups, columns, lambda group: group.key)
    rows_list(
        "replay_groups",
        shown,
        chosen=shown.place_of(chosen),
        on_choose=actions.choose_group,
        most=MOST_ROWS,
        keeps=True,  # what it shows is below the list
    )


def where(group: ReplayGroup) -> str:
    """Return the node of a group's first difference."""
    found = group.example.divergence
    return (clean(found.node) if found is not None else "") or "the run"


def what(group: ReplayGroup) -> str:
    """Return what is instead of what, or the reason of a group without a divergence."""
    found = group.example.divergence
    if found is None or group.example.reason:
        return clean(group.example.reason)
    subject = f"{clean(found.subject)}: " if found.subject else ""
    return f"{subject}{clean(found.after)} instead of {clean(found.before)}"


def since(group: ReplayGroup) -> str:
    """Return the change of the workflow that a group goes back to; empty without one."""
    return clean(group.change)


def _verdict(group: ReplayGroup) -> Cell:
    colour = "gray" if group.acceptance is not None else COLOURS[group.verdict]
    return VERDICT_LABELS[group.verdict], colour


def _accepted(group: ReplayGroup) -> Cell:
    return (f"✓ {group.acceptance.accepted_by}", "green") if group.acceptance is not None else None
