"""Notes on runs, presets, debug set-ups, interrupted turns.

All go by ids alone, so they may be of runs and workflows of a hosted API.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import Connection, Row, delete, func, select

from debugger.errors import ConflictError, InputError, NotFoundError
from debugger.protocol.base import JsonObject
from debugger.protocol.json_codec import encode
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


class NoteRepository(Repository):
    """Notes on runs, presets, debug set-ups, interrupted turns."""

    def notes(self, run_id: str) -> RunNotes:
        """Return everything that users noted on a run."""
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
            _set_label(connection, run_id, {"starred": starred})

    def write(self, run_id: str, note: str, before: str | None = None) -> None:
        """Write a note on a run; an empty one removes it.

        Args:
            run_id: The run.
            note: The new note.
            before: The note that its author has seen; ``None`` replaces any.

        Raises:
            ConflictError: Another user has changed the note meanwhile.
        """
        with self._database.writing() as connection:
            if before is not None:
                known = _labels(connection, [run_id]).get(run_id, RunLabels()).note
                if known not in (before, note):
                    raise ConflictError(
                        "The note has been changed meanwhile; nothing was stored.",
                        advice="Look at the stored note below the box, then change yours to replace it.",
                    )
            _set_label(connection, run_id, {"note": note})

    def tag(self, run_id: str, tags: Iterable[str]) -> None:
        """Replace the tags of a run.

        Raises:
            InputError: A tag is too long.
        """
        with self._database.writing() as connection:
            set_tags(connection, run_id, tags)

    def change_tags(self, run_ids: Collection[str], added: Iterable[str], removed: Iterable[str]) -> None:
        """Add tags to runs and remove others; the rest of their tags stay.

        A tag that is both added and removed is removed.

        Raises:
            InputError: A tag is too long.
        """
        lost = _checked_tags(removed)
        new = [tag for tag in _checked_tags(added) if tag not in lost]
        rows = [{"run_id": run_id, "tag": tag} for run_id in run_ids for tag in new]
        with self._database.writing() as connection:
            for some in split_ids(run_ids):
                of_runs = run_tags.c.run_id.in_(some) & run_tags.c.tag.in_(lost)
                connection.execute(delete(run_tags).where(of_runs))
            if rows:
                connection.execute(insert(run_tags).on_conflict_do_nothing(), rows)

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
        """Replace an author's rating; ``None`` removes it."""
        key = {"run_id": run_id, "target_kind": target.kind, "target_key": target.key, "author": author}
        with self._database.writing() as connection:
            if value is None:
                connection.execute(delete(ratings).where(has_key(ratings, key)))
            else:
                connection.execute(upsert(ratings, key, {"value": value, "created_at": time.time()}))

    def take_in(self, run_id: str, notes: RunNotes) -> None:
        """Add the notes of an imported run; existing notes stay."""
        with self._database.writing() as connection:
            known = _labels(connection, [run_id]).get(run_id, RunLabels())
            if notes.starred and not known.starred:
                _set_label(connection, run_id, {"starred": True})
            if notes.note and not known.note:
                _set_label(connection, run_id, {"note": notes.note})
            set_tags(connection, run_id, [*known.tags, *notes.tags])
            for comment in notes.comments:
                own = {"logical_id": comment.logical_id, "content": comment.content}
                row = {**_imported(run_id, comment), **own}
                connection.execute(insert(comments).values(row).on_conflict_do_nothing())
            for rating in notes.ratings:
                row = {**_imported(run_id, rating), "value": rating.value}
                connection.execute(insert(ratings).values(row).on_conflict_do_nothing())

    def presets(self, workflow_id: str) -> list[Preset]:
        """Return a workflow's presets by name."""
        statement = select(presets).where(presets.c.workflow_id == workflow_id)
        with self._database.reading() as connection:
            return [
                Preset(
                    name=row.name,
                    run_input=read_json(row.run_input, f"preset {row.name!r}"),
                    updated_at=iso_time(row.updated_at),
                )
                for row in connection.execute(statement.order_by(func.lower(presets.c.name)))
            ]

    def keep_preset(self, workflow_id: str, name: str, run_input: JsonObject) -> None:
        """Store a run input under a name, without secrets.

        Raises:
            InputError: The name is blank or too long.
        """
        name = checked_name(name, "preset", "what it is for")
        values = {"updated_at": time.time(), "run_input": encode(without_secrets_of_input(run_input))}
        with self._database.writing() as connection:
            connection.execute(upsert(presets, {"workflow_id": workflow_id, "name": name}, values))

    def delete_preset(self, workflow_id: str, name: str) -> None:
        """Delete a preset.

        Raises:
            NotFoundError: There is none of that name.
        """
        ours = (presets.c.workflow_id == workflow_id) & (presets.c.name == name)
        with self._database.writing() as connection:
            if not connection.execute(delete(presets).where(ours)).rowcount:
                raise unknown_name(name, "preset")

    def kit_of(self, run_id: str) -> bytes | None:
        """Return the debug set-up of a run as JSON."""
        with self._database.reading() as connection:
            setup: bytes | None = connection.scalar(select(kits.c.kit).where(kits.c.run_id == run_id))
            return setup

    def keep_kit(self, run_id: str, kit: bytes | None) -> None:
        """Replace the debug set-up of a run; ``None`` deletes it."""
        with self._database.writing() as connection:
            if kit is None:
                connection.execute(delete(kits).where(kits.c.run_id == run_id))
            else:
                connection.execute(upsert(kits, {"run_id": run_id}, {"kit": kit}))

    def forget_unfinished(self, run_id: str) -> None:
        """Delete the interrupted turn of a run, if it has one."""
        with self._database.writing() as connection:
            connection.execute(delete(unfinished_turns).where(unfinished_turns.c.run_id == run_id))

    def read_unfinished_turns(self, run_id: str | None = None) -> list[UnfinishedTurn]:
        """Return the interrupted turns, the newest first.

        A turn is interrupted when its claim has lapsed, see `TurnClaims.lapse`.
        """
        statement = select(unfinished_turns).order_by(unfinished_turns.c.began_at.desc())
        if run_id is not None:
            statement = statement.where(unfinished_turns.c.run_id == run_id)
        with self._database.reading() as connection:
            return [
                UnfinishedTurn(*row)._replace(events_json=decompress(row.events_json))
                for row in connection.execute(statement)
            ]


def _labels(connection: Connection, run_ids: Collection[str]) -> dict[str, RunLabels]:
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


def _set_label(connection: Connection, run_id: str, value: dict[str, Any]) -> None:
    fresh = insert(run_marks).values(**{"run_id": run_id, "starred": False, "note": "", **value})
    connection.execute(fresh.on_conflict_do_update(index_elements=["run_id"], set_=value))


def tags_of(connection: Connection, run_id: str) -> list[str]:
    """Return the tags of a run by name."""
    statement = select(run_tags.c.tag).where(run_tags.c.run_id == run_id).order_by(run_tags.c.tag)
    return list(connection.scalars(statement))


def set_tags(connection: Connection, run_id: str, tags: Iterable[str]) -> None:
    """Replace the tags of a run.

    Raises:
        InputError: A tag is too long.
    """
    wanted = _checked_tags(tags)
    connection.execute(delete(run_tags).where(run_tags.c.run_id == run_id))
    if wanted:
        connection.execute(insert(run_tags), [{"run_id": run_id, "tag": tag} for tag in wanted])


def _checked_tags(tags: Iterable[str]) -> list[str]:
    wanted = list(dict.fromkeys(" ".join(tag.split()) for tag in tags if tag.strip()))
    long = next((tag for tag in wanted if len(tag) > MAX_TAG_CHARACTERS), None)
    if long is not None:
        raise InputError(
            f"The tag {long[:20]!r}… has {len(long)} characters.",
            advice=f"A tag has {MAX_TAG_CHARACTERS} at most; write the rest as a note.",
        )
    return wanted


def _comments(connection: Connection, run_ids: Collection[str]) -> dict[str, list[Comment]]:
    found: dict[str, list[Comment]] = {}
    order = comments.c.created_at, comments.c.logical_id
    for some in split_ids(run_ids):
        statement = select(comments).where(comments.c.run_id.in_(some)).order_by(*order)
        for row in connection.execute(statement):
            found.setdefault(row.run_id, []).append(_comment(row))
    return found


def _comment(row: Row[Any]) -> Comment:
    return Comment(
        logical_id=row.logical_id,
        target=_target(row),
        author=row.author,
        content=row.content,
        created_at=iso_time(row.created_at),
    )


def _ratings(connection: Connection, run_id: str) -> list[Rating]:
    statement = select(ratings).where(ratings.c.run_id == run_id).order_by(ratings.c.created_at)
    return [
        Rating(target=_target(row), author=row.author, value=row.value, created_at=iso_time(row.created_at))
        for row in connection.execute(statement)
    ]


def add_comment(connection: Connection, run_id: str, target: Target, author: str, text: str) -> Comment:
    """Store a comment; return it.

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
    return {
        "run_id": run_id,
        "target_kind": note.target.kind,
        "target_key": note.target.key,
        "author": note.author,
        "created_at": seconds_of(note.created_at),
    }


def _target(row: Row[Any]) -> Target:
    return Target(kind=row.target_kind, key=row.target_key)
