"""Notes on runs, presets, debug set-ups, interrupted turns.

All go by ids alone, so they may be of runs and workflows of a hosted API.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import Connection, Row, Select, delete, func, select

from debugger.errors import InputError, NotFoundError
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import decode, encode
from debugger.protocol.natural_order import natural_key
from debugger.protocol.notes import (
    MAX_COMMENT_CHARACTERS,
    Comment,
    Preset,
    Rating,
    RatingValue,
    RunLabels,
    RunNotes,
    Target,
)
from debugger.protocol.runs import without_secrets_of_input
from debugger.store.compression import decompress, read_json
from debugger.store.database import Repository
from debugger.store.edited_tables import NEVER_WRITTEN, NOTES, PRESETS, Stored
from debugger.store.saved_names import checked_name, unknown_name
from debugger.store.schema import comments, kits, presets, ratings, run_marks, run_tags, unfinished_turns
from debugger.store.sql_helpers import has_key, insert, iso_time, seconds_of, split_ids, upsert

MAX_TAG_CHARACTERS = 50


class UnfinishedTurn(NamedTuple):
    """An interrupted turn with its events so far."""

    run_id: str
    workflow_id: str
    version_number: int
    began_at: float
    """Seconds since 1970."""
    input_json: bytes
    """The run input."""
    events_json: bytes = b"[]"
    """Its events so far as one array."""
    claim_id: str = ""
    """Names the entry of the journal; empty of a turn that is not in it."""
    client_turn_id: str | None = None
    calls_json: bytes | None = None
    """The calls that it had made, as one array (`debugger.engine.outbound.gateway.made_calls`); ``None``
    without any."""

    @property
    def calls(self) -> list[JsonObject]:
        """Return the calls that it had made."""
        return [] if self.calls_json is None else list(decode(self.calls_json))


class NoteRepository(Repository):
    """Notes on runs, presets, debug set-ups, interrupted turns."""

    def of(self, run_id: str) -> RunNotes:
        """Return everything that users noted on a run, the oldest comments first; empty without any."""
        with self._database.reading() as connection:
            labels = _labels(connection, [run_id]).get(run_id, RunLabels())
            return RunNotes(
                starred=labels.starred,
                tags=labels.tags,
                note=labels.note,
                comments=_comments(connection, [run_id]).get(run_id, []),
                ratings=_ratings(connection, run_id),
            )

    def feedback(self, run_id: str) -> tuple[list[Comment], list[Rating]]:
        """Return the comments and ratings of a run, the oldest first (``platform.md#feedback``)."""
        with self._database.reading() as connection:
            return _comments(connection, [run_id]).get(run_id, []), _ratings(connection, run_id)

    def marks(self, run_ids: Collection[str]) -> dict[str, RunLabels]:
        """Return star, tags and note of runs that have any."""
        with self._database.reading() as connection:
            return _labels(connection, run_ids)

    def star(self, run_id: str, *, starred: bool = True) -> None:
        """Add a star to a run, or remove it."""
        with self._database.writing() as connection:
            _set_star(connection, run_id, starred=starred)

    def note(self, run_id: str) -> Stored[str]:
        """Return the note on a run with its revision; an empty one where there is none."""
        with self._database.reading() as connection:
            return NOTES.find(connection, {"run_id": run_id}) or Stored("", NEVER_WRITTEN)

    def write(self, run_id: str, note: str, *, by: str = "", expected: int) -> int:
        """Write a note on a run; an empty one removes it. Return its revision.

        Args:
            run_id: The run.
            note: The new note.
            by: Its author.
            expected: The revision that the author has seen, `NEVER_WRITTEN` of a new note.

        Raises:
            EditConflictError: Another user has changed the note meanwhile.
        """
        with self._database.writing() as connection:
            return _write_note(connection, run_id, note, by=by, expected=expected)

    def change_tags(
        self, run_ids: Collection[str], added: Iterable[str], removed: Iterable[str] = ()
    ) -> None:
        """Add tags to runs and remove others; the rest of their tags stay.

        A tag that is both added and removed is removed.

        Raises:
            InputError: A tag is too long.
        """
        with self._database.writing() as connection:
            change_tags(connection, run_ids, added, removed)

    def tags(self) -> list[str]:
        """Return every tag of any run, the most used first."""
        count = func.count().label("count")
        statement = select(run_tags.c.tag).group_by(run_tags.c.tag).order_by(count.desc(), run_tags.c.tag)
        with self._database.reading() as connection:
            return list(connection.scalars(statement))

    def comments(self, run_ids: Collection[str]) -> dict[str, list[Comment]]:
        """Return the comments on runs that have any, the oldest first."""
        with self._database.reading() as connection:
            return _comments(connection, run_ids)

    def comment(self, run_id: str, target: Target, author: str, text: str) -> Comment:
        """Store a comment; return it.

        Raises:
            InputError: It is blank or too long.
        """
        with self._database.writing() as connection:
            return add_comment(connection, run_id, target, author, text)

    def delete_comment(self, run_id: str, logical_id: str, target: Target | None = None) -> None:
        """Delete a comment on a run, or on one target of it.

        Raises:
            NotFoundError: The run or the target has no such comment.
        """
        ours = [comments.c.run_id == run_id, comments.c.logical_id == logical_id]
        if target is not None:
            ours += [comments.c.target_kind == target.kind, comments.c.target_key == target.key]
        with self._database.writing() as connection:
            if not connection.execute(delete(comments).where(*ours)).rowcount:
                raise NotFoundError("This comment is gone already.", advice="Another user has deleted it.")

    def rate(self, run_id: str, target: Target, author: str, value: RatingValue | None) -> None:
        """Store an author's rating of a target in place of an earlier one; ``None`` removes that."""
        key = {"run_id": run_id, "target_kind": target.kind, "target_key": target.key, "author": author}
        with self._database.writing() as connection:
            if value is None:
                connection.execute(delete(ratings).where(has_key(ratings, key)))
            else:
                connection.execute(upsert(ratings, key, {"value": value, "created_at": time.time()}))

    def add_imported(self, run_id: str, notes: RunNotes) -> None:
        """Add the notes of an imported run; existing notes stay.

        A note, a comment of the same id and a rating of the same author and target are not replaced; a star
        and tags are added. Times are those of the imported notes.

        Raises:
            InputError: A tag is too long.
        """
        with self._database.writing() as connection:
            known = _labels(connection, [run_id]).get(run_id, RunLabels())
            if notes.starred and not known.starred:
                _set_star(connection, run_id, starred=True)
            if notes.note and not known.note:
                _write_note(connection, run_id, notes.note, expected=None)
            change_tags(connection, [run_id], notes.tags, ())
            for comment in notes.comments:
                own = {"logical_id": comment.logical_id, "content": comment.content}
                row = {**_imported(run_id, comment), **own}
                connection.execute(insert(comments).values(row).on_conflict_do_nothing())
            for rating in notes.ratings:
                row = {**_imported(run_id, rating), "value": rating.value}
                connection.execute(insert(ratings).values(row).on_conflict_do_nothing())

    def presets(self, workflow_id: str) -> list[Preset]:
        """Return a workflow's presets by name, in any case; none for an unknown workflow.

        Raises:
            StoreError: A preset's run input was changed by another program.
        """
        statement = select(presets).where(presets.c.workflow_id == workflow_id)
        with self._database.reading() as connection:
            return [
                Preset(
                    name=row.name,
                    run_input=read_json(row.run_input, f"preset {row.name!r}"),
                    updated_at=iso_time(row.updated_at),
                    revision=row.revision,
                )
                for row in sorted(connection.execute(statement).all(), key=lambda row: natural_key(row.name))
            ]

    def keep_preset(
        self, workflow_id: str, name: str, run_input: JsonObject, *, by: str = "", expected: int
    ) -> Stored[str]:
        """Store a run input under a name, without secrets; return the tidied name and its revision.

        Args:
            workflow_id: The workflow.
            name: The name.
            run_input: The run input.
            by: The author.
            expected: The revision of the preset that the author replaces, `NEVER_WRITTEN` of a new one.

        Raises:
            InputError: The name is blank or too long.
            EditConflictError: Another user has saved a preset of the name meanwhile.
        """
        name = checked_name(name, "preset", "what it is for")
        key = {"workflow_id": workflow_id, "name": name}
        values = {"run_input": encode(without_secrets_of_input(run_input))}
        subject = f"The preset {name!r}"
        with self._database.writing() as connection:
            return Stored(name, PRESETS.write(connection, key, values, expected, by=by, subject=subject))

    def delete_preset(self, workflow_id: str, name: str, *, expected: int) -> None:
        """Delete a preset.

        Raises:
            NotFoundError: There is none of that name.
            EditConflictError: Another user has changed it since the author has seen it.
        """
        key, subject = {"workflow_id": workflow_id, "name": name}, f"The preset {name!r}"
        with self._database.writing() as connection:
            if not PRESETS.delete(connection, key, expected, subject=subject):
                raise unknown_name(name, "preset")

    def debug_setup_of(self, run_id: str) -> bytes | None:
        """Return the debug set-up of a run as JSON."""
        with self._database.reading() as connection:
            setup: bytes | None = connection.scalar(select(kits.c.kit).where(kits.c.run_id == run_id))
            return setup

    def keep_debug_setup(self, run_id: str, setup: bytes | None) -> None:
        """Replace the debug set-up of a run; ``None`` deletes it."""
        with self._database.writing() as connection:
            if setup is None:
                connection.execute(delete(kits).where(kits.c.run_id == run_id))
            else:
                connection.execute(upsert(kits, {"run_id": run_id}, {"kit": setup}))

    def forget_unfinished(self, claim_id: str) -> None:
        """Delete an interrupted turn, if it is there: a user has seen it."""
        with self._database.writing() as connection:
            connection.execute(delete(unfinished_turns).where(unfinished_turns.c.claim_id == claim_id))

    def read_unfinished_turns(self, run_id: str | None = None) -> list[UnfinishedTurn]:
        """Return the interrupted turns, the newest first.

        A turn is interrupted by `TurnClaims.interrupt_expired`, or when its process could not
        store it.
        """
        statement = select(unfinished_turns).order_by(unfinished_turns.c.began_at.desc())
        if run_id is not None:
            statement = statement.where(unfinished_turns.c.run_id == run_id)
        return self._read_unfinished(statement)

    def find_unfinished(self, client_turn_id: str) -> UnfinishedTurn | None:
        """Return the last interrupted turn with a client turn id that had made calls.

        A turn may have been sent, and interrupted, more than once under its id.
        """
        of_id = unfinished_turns.c.client_turn_id == client_turn_id
        statement = select(unfinished_turns).where(of_id, unfinished_turns.c.calls_json.is_not(None))
        newest_first = statement.order_by(unfinished_turns.c.began_at.desc())
        return next(iter(self._read_unfinished(newest_first)), None)

    def _read_unfinished(self, statement: Select[Any]) -> list[UnfinishedTurn]:
        """Return the interrupted turns of a select in its order, with events and calls decompressed.

        Raises:
            StoreError: A compressed value was changed.
        """
        with self._database.reading() as connection:
            return [
                UnfinishedTurn(*row)._replace(
                    events_json=decompress(row.events_json),
                    calls_json=None if row.calls_json is None else decompress(row.calls_json),
                )
                for row in connection.execute(statement)
            ]


def _labels(connection: Connection, run_ids: Collection[str]) -> dict[str, RunLabels]:
    """Return star, tags in alphabetical order and note of each run that has any, in the order of the runs."""
    tags: dict[str, list[str]] = {}
    marks: dict[str, tuple[bool, str]] = {}
    for some in split_ids(run_ids):
        tagged = select(run_tags).where(run_tags.c.run_id.in_(some)).order_by(run_tags.c.tag)
        for row in connection.execute(tagged):
            tags.setdefault(row.run_id, []).append(row.tag)
        marked = connection.execute(select(run_marks).where(run_marks.c.run_id.in_(some)))
        marks.update((row.run_id, (row.starred, row.note)) for row in marked)
    found: dict[str, RunLabels] = {}
    for run_id in run_ids:
        if run_id in marks or run_id in tags:
            starred, note = marks.get(run_id, (False, ""))
            found[run_id] = RunLabels(starred=starred, tags=tags.get(run_id, []), note=note)
    return found


def _set_star(connection: Connection, run_id: str, *, starred: bool) -> None:
    fresh = insert(run_marks).values(run_id=run_id, starred=starred, note="", revision=NEVER_WRITTEN)
    connection.execute(fresh.on_conflict_do_update(index_elements=["run_id"], set_={"starred": starred}))


def _write_note(connection: Connection, run_id: str, note: str, *, by: str = "", expected: int | None) -> int:
    key, values, subject = {"run_id": run_id}, {"note": note}, f"The note on run {run_id}"
    return NOTES.write(connection, key, values, expected, by=by, subject=subject)


def change_tags(
    connection: Connection, run_ids: Collection[str], added: Iterable[str], removed: Iterable[str]
) -> None:
    """Add tags to runs and remove others; the rest of their tags stay.

    White space in a tag becomes one space, and blank tags are left out. A tag that is both added and removed
    is removed.

    Raises:
        InputError: A tag is too long.
    """
    lost = _checked_tags(removed)
    new = [tag for tag in _checked_tags(added) if tag not in lost]
    rows = [{"run_id": run_id, "tag": tag} for run_id in run_ids for tag in new]
    for some in split_ids(run_ids):
        of_runs = run_tags.c.run_id.in_(some) & run_tags.c.tag.in_(lost)
        connection.execute(delete(run_tags).where(of_runs))
    if rows:
        connection.execute(insert(run_tags).on_conflict_do_nothing(), rows)


def _checked_tags(tags: Iterable[str]) -> list[str]:
    """Return tags once each, in order, with single spaces and without blank ones.

    Raises:
        InputError: A tag is longer than `MAX_TAG_CHARACTERS`.
    """
    wanted = list(dict.fromkeys(" ".join(tag.split()) for tag in tags if tag.strip()))
    long = next((tag for tag in wanted if len(tag) > MAX_TAG_CHARACTERS), None)
    if long is not None:
        raise InputError(
            f"The tag {long[:20]!r}… has {len(long)} characters.",
            advice=f"A tag has {MAX_TAG_CHARACTERS} at most; write the rest as a note.",
        )
    return wanted


def _comments(connection: Connection, run_ids: Collection[str]) -> dict[str, list[Comment]]:
    """Return the comments of each run that has any, the oldest first."""
    found: dict[str, list[Comment]] = {}
    order = comments.c.created_at, comments.c.logical_id
    for some in split_ids(run_ids):
        statement = select(comments).where(comments.c.run_id.in_(some)).order_by(*order)
        for row in connection.execute(statement):
            found.setdefault(row.run_id, []).append(_comment(row))
    return found


def _comment(row: Row[Any]) -> Comment:
    """Return a stored comment, with its time as ISO 8601."""
    return Comment(
        logical_id=row.logical_id,
        target=_target(row),
        author=row.author,
        content=row.content,
        created_at=iso_time(row.created_at),
    )


def _ratings(connection: Connection, run_id: str) -> list[Rating]:
    """Return the ratings of a run, the oldest first."""
    statement = select(ratings).where(ratings.c.run_id == run_id).order_by(ratings.c.created_at)
    return [
        Rating(target=_target(row), author=row.author, value=row.value, created_at=iso_time(row.created_at))
        for row in connection.execute(statement)
    ]


def add_comment(connection: Connection, run_id: str, target: Target, author: str, text: str) -> Comment:
    """Store a comment of the present time, without white space around it; return it with its new id.

    Raises:
        InputError: It is blank or too long.
    """
    content = text.strip()
    if not content:
        raise InputError("A comment needs some words.", advice="Write what you saw.")
    if len(content) > MAX_COMMENT_CHARACTERS:
        raise InputError(
            f"The comment has {len(content)} characters.", advice=f"Shorten it to {MAX_COMMENT_CHARACTERS}."
        )
    now = time.time()
    comment = Comment(
        logical_id=f"comment_{uuid4().hex}",
        target=target,
        author=author,
        content=content,
        created_at=iso_time(now),
    )
    own = {"logical_id": comment.logical_id, "content": content, "created_at": now}
    connection.execute(insert(comments), {**_imported(run_id, comment), **own})
    return comment


def _imported(run_id: str, note: Comment | Rating) -> dict[str, Any]:
    """Return the columns that comments and ratings share, with the note's own time in seconds since 1970."""
    return {
        "run_id": run_id,
        "target_kind": note.target.kind,
        "target_key": note.target.key,
        "author": note.author,
        "created_at": seconds_of(note.created_at),
    }


def _target(row: Row[Any]) -> Target:
    return Target(kind=row.target_kind, key=row.target_key)
