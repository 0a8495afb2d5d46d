"""Checks of the words in labels, sentences of errors and help texts."""

# Texts in PENDING are whole.
# ruff: noqa: E501

from __future__ import annotations

import re

import pytest

from tests.support.ui_texts import ROOT, TABLE, collect, table

FORBIDDEN = {
    r"stand(s|ing)? still|stood still": "is paused",
    r"(stands|stood) (at|beside)": "is at, is beside",
    r"ways? (on|out)": "possible next steps, outgoing edge",
    r"(go|goes|going|went|gone) on": "continue",
    r"hops?": "transition",
    r"tells?|told|telling": "report, show",
    r"somebody|someone": "the user, another user, another client",
    r"I, for \w+ \w+|for every model": "Me (all model calls)",
    r"two curly brackets": "Replace {{name}} placeholders",
    r"(fully )?hydrated": "workflow file (JSON)",
    r"took": "duration; ran, used",
    r"trouble": "problems",
    r"met": "hits; matched",
    r"began|begun": "started",
    r"copies by node|^copies$": "per-node copies",
    r"given as|runtime input": "from run input",
    r"passed over": "skipped",
    r"(send|sends|sent|sending)( \w+){0,3} again from": "run turns 1 to n again",
    r"(begin|begins|beginning) (again|anew|a new run|another run|another one)": "restart",
    r"(they|runs) part|part(s|ed)? at|first divergence": "first difference",
    r"(give|gives|take|takes|taken) (it |them )?back": "return; undo; deselect",
}
"""Patterns of whole words that no text has, with what to write instead."""

PENDING: dict[tuple[str, str], str] = {
    ("session/human_input.py", "Go on with the run."): "Continue the run.",
    ("views/components/graph/node_states.py", "passed over"): "skipped",
    (
        "views/panels/breakpoints.py",
        "Met",
    ): "Hits so far (the column Hits is the hit condition: Hit condition)",
    (
        "views/panels/fork_dialog.py",
        "Where the run stands at nodes that a version does not have, choose a start node of it",
    ): "If a version does not have the run's current node, choose a start node",
    ("views/panels/fork_dialog.py", "Sent again from turn 1"): "Turns 1 to n run again",
    (
        "views/panels/fork_dialog.py",
        "A new run begins at the node where the turn began, with the variables as run input. What was said before is not known to it.",
    ): "A new run starts at the node where the turn started, with the variables as run input. It does not have the earlier messages.",
    (
        "views/panels/graph_tables.py",
        "The threads of the run appear here once it has begun.",
    ): "The threads of the run appear here once it has started.",
    (
        "views/panels/interrupted_turn.py",
        ":material/power_off: **A turn was started{…} and is not in the record.** It got as far as {…}. Either it still stands in another tab, or the program ended before it did: the run stands at its last finished turn.",
    ): ":material/power_off: **A turn was started{…} and is not in the record.** Its last event is {…}. It is paused in another tab, or the program ended during it. The run is at its last finished turn.",
    ("views/panels/mocks.py", "I, for chosen nodes"): "Me (chosen nodes)",
    ("views/panels/mocks.py", "I, for every model"): "Me (all model calls)",
    (
        "views/panels/notes.py",
        "Press the chosen one again to take it back",
    ): "Press the chosen one again to remove your rating",
    (
        "views/panels/notes.py",
        "A run can be starred, tagged, commented and rated here once it has begun.",
    ): "A run can be starred, tagged, commented and rated here once it has started.",
    (
        "views/panels/notes.py",
        "Notes stay on this machine; the API is not told of them.",
    ): "Notes stay on this machine; they are not sent to the API.",
    ("views/panels/python_consent.py", "Take back"): "Revoke",
    (
        "views/panels/python_consent.py",
        "The answer holds for this version as long as its code stays the same, and can be taken back. If you do not run it: {…}",
    ): "The answer holds for this version as long as its code stays the same, and can be revoked. If you do not run it: {…}",
    (
        "views/panels/stepping.py",
        "Nothing tells whether the last message was executed: decide that first.",
    ): "It is not known whether the last message was executed: decide that first.",
    (
        "views/panels/stepping.py",
        "The run is over ({…}). Restart begins another one.",
    ): "The run has ended ({…}). Restart starts a new one.",
    (
        "views/panels/stepping.py",
        "Go on until a breakpoint, the user's turn or the end",
    ): "Continue until a breakpoint, the user's turn or the end",
    (
        "views/panels/stepping.py",
        "Pauses before background work goes on.",
    ): "Pauses before background work continues.",
    ("views/panels/stepping.py", "Go on to the next event"): "Continue to the next event",
    (
        "views/panels/stepping.py",
        "Go on until the next node is about to run",
    ): "Continue until the next node is about to run",
    ("views/panels/stepping.py", "Go on to the end of the turn"): "Continue to the end of the turn",
    (
        "views/panels/timeline.py",
        "Relative: since the run began. Elapsed: since the turn began. UTC: the clock.",
    ): "Relative: since the run started. Elapsed: since the turn started. UTC: the clock.",
    ("views/panels/timeline_tables.py", "Since the run began"): "Since the run started",
    ("views/panels/timeline_tables.py", "Since the turn began"): "Since the turn started",
    ("views/panels/timeline_tables.py", "Trouble"): "Problems",
    ("views/panels/compare/events_tab.py", "First divergence"): "First difference",
    ("views/panels/workflow_picker.py", "Fully hydrated workflow (JSON)"): "Workflow file (JSON)",
}
"""Texts that still have a forbidden word, with their replacements: to be emptied, never extended."""


GUIDES = [ROOT / "README.md", *(TABLE.with_name(f"{name}.md") for name in ("guide", "settings", "server"))]


def test_table_of_texts_is_current():
    assert TABLE.read_text(encoding="utf-8") == table(), "run `python -m tests.support.ui_texts`"


@pytest.mark.parametrize(("words", "instead"), FORBIDDEN.items(), ids=FORBIDDEN.values())
def test_texts_avoid_forbidden_words(words, instead):
    texts = [text for text in collect() if (text.path, text.text) not in PENDING]

    assert [text for text in texts if _pattern(words).search(text.text)] == [], instead


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.name)
def test_guides_avoid_forbidden_words(path):
    pattern = _pattern("|".join(FORBIDDEN))

    assert [line for line in path.read_text(encoding="utf-8").splitlines() if pattern.search(line)] == []


def test_pattern_finds_whole_words_only():
    assert _pattern("hops?").search("two Hops.")
    assert not _pattern("hops?").search("shop, no_hopping, hop-free")


def test_pending_texts_are_still_there():
    assert PENDING.keys() - {(text.path, text.text) for text in collect()} == set()


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])({words})(?![\w-])", re.IGNORECASE)
