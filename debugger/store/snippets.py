"""The places at which a search has found its words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import select

from debugger.store.database import Repository
from debugger.store.schema import comments, run_marks, run_tags, runs, spoken
from debugger.store.sql_helpers import split_ids

MAX_AROUND = 36
"""Characters that are shown before and after a word."""

_SOURCES = (
    ("said", select(spoken.c.run_id, spoken.c.text)),
    ("note", select(run_marks.c.run_id, run_marks.c.note).order_by(run_marks.c.run_id)),
    ("tag", select(run_tags.c.run_id, run_tags.c.tag).order_by(run_tags.c.tag)),
    ("comment", select(comments.c.run_id, comments.c.content).order_by(comments.c.created_at)),
    ("workflow", select(runs.c.id, runs.c.workflow_name)),
    ("version", select(runs.c.id, runs.c.version_name)),
    ("started by", select(runs.c.id, runs.c.run_by)),
)
"""The sources that a search reads, each with its ids and texts."""


class Snippet(NamedTuple):
    """A found word with the text around it."""

    place: str
    """``said``, ``note``, ``tag``, ``comment``, ``workflow``, ``version`` or ``started by``."""
    before: str
    word: str
    after: str


class Snippets(Repository):
    """The places at which a search has found its words."""

    def read_snippets(self, run_ids: Collection[str], words: Sequence[str]) -> dict[str, list[Snippet]]:
        """Return for each run the first place of each word, in the order of the words.

        Runs and words without a place are left out. Messages are searched first, then notes, tags, comments
        and names. Messages are found in the index of the search, in lower case.

        Args:
            run_ids: Runs that the search has found.
            words: Its words, in lower case.
        """
        found: dict[str, dict[str, Snippet]] = {}
        for place, run_id, text in self._texts(run_ids):
            own = found.setdefault(run_id, {})
            for word in words:
                if word not in own and (snippet := snippet_of(place, text, word)):
                    own[word] = snippet
        return {run_id: [own[word] for word in words if word in own] for run_id, own in found.items() if own}

    def _texts(self, run_ids: Collection[str]) -> Iterator[tuple[str, str, str]]:
        """Yield place, run id and text of what a search reads, in the order of `_SOURCES`; no empty texts."""
        with self._database.reading() as connection:
            for place, statement in _SOURCES:
                column = statement.selected_columns[0]
                for some in split_ids(run_ids):
                    for run_id, text in connection.execute(statement.where(column.in_(some))):
                        if text:
                            yield place, run_id, text


def snippet_of(place: str, text: str, word: str) -> Snippet | None:
    """Return the first place of a word, in lower case, with up to `MAX_AROUND` characters on either side.

    Returns:
        The word as the text has it, with ``…`` where more follows; ``None`` where the text does not contain
        it.
    """
    lowered = text.lower()
    at = lowered.find(word)
    if at < 0:
        return None
    end = at + len(word)
    if len(lowered) != len(text):  # the letter İ has two characters in lower case
        places = [place for place, letter in enumerate(text) for _ in letter.lower()]
        at, end = places[at], places[end - 1] + 1
    begin, stop = max(0, at - MAX_AROUND), min(len(text), end + MAX_AROUND)
    before = ("…" if begin else "") + text[begin:at]
    after = text[end:stop] + ("…" if stop < len(text) else "")
    return Snippet(place, before, text[at:end], after)
