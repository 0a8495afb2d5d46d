"""Checks of the words in labels, sentences of errors and help texts."""

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


GUIDES = [ROOT / "README.md", *(TABLE.with_name(f"{name}.md") for name in ("guide", "settings", "server"))]


def test_table_of_texts_is_current():
    assert TABLE.read_text(encoding="utf-8") == table(), "run `python -m tests.support.ui_texts`"


@pytest.mark.parametrize(("words", "instead"), FORBIDDEN.items(), ids=FORBIDDEN.values())
def test_texts_avoid_forbidden_words(words, instead):
    assert [text for text in collect() if _pattern(words).search(text.text)] == [], instead


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.name)
def test_guides_avoid_forbidden_words(path):
    pattern = _pattern("|".join(FORBIDDEN))

    assert [line for line in path.read_text(encoding="utf-8").splitlines() if pattern.search(line)] == []


def test_pattern_finds_whole_words_only():
    assert _pattern("hops?").search("two Hops.")
    assert not _pattern("hops?").search("shop, no_hopping, hop-free")


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])({words})(?![\w-])", re.IGNORECASE)
