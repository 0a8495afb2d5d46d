"""The notebook: what people note on runs, and what a session keeps beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import delete, select

from debugger.protocol.base import JsonObject
from debugger.protocol.notes import Preset, RatingValue, RunLabels, RunNotes, Target
from debugger.store import marks, presets, remarks
from debugger.store.database import Database
from debugger.store.notebook_schema import kits
from debugger.store.unfinished import UnfinishedTurn, forget_unfinished, read_unfinished
from debugger.store.upserts import insert


class Notebook:
    """Notes on runs, presets of run inputs, kits of debuggers, turns under way.

    All go by ids alone, so they may be of runs and workflows that are kept elsewhere, as on the hosted API.
    Every method is one transaction and may raise `StoreError`.

    Args:
        database: The store's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def notes(self, run_id: str) -> RunNotes:
        """Everything that was noted on a run; empty where nothing was."""
        with self._database.reading() as connection:
            mark = marks.read_marks(connection, [run_id]).get(run_id, RunLabels())
            return RunNotes(
                starred=mark.starred,
                tags=mark.tags,
                note=mark.note,
                comments=remarks.read_comments(connection, run_id),
                ratings=remarks.read_ratings(connection, run_id),
            )

    def marks(self, run_ids: Collection[str]) -> dict[str, RunLabels]:
        """Star, tags and note of those of the runs that have any."""
        with self._database.reading() as connection:
            return marks.read_marks(connection, run_ids)

    def star(self, run_id: str, *, starred: bool = True) -> None:
        """Give a run a star, or take it."""
        with self._database.writing() as connection:
            marks.star(connection, run_id, starred=starred)

    def write(self, run_id: str, note: str) -> None:
        """Write a note on a run; an empty one takes it away."""
        with self._database.writing() as connection:
            marks.write(connection, run_id, note)

    def tag(self, run_id: str, tags: Iterable[str]) -> None:
        """Give a run exactly these tags.

        Raises:
            InputError: A tag is too long.
        """
        with self._database.writing() as connection:
            marks.tag(connection, run_id, tags)

    def tags(self) -> list[str]:
        """Every tag that some run has, the most used first."""
        with self._database.reading() as connection:
            return marks.known_tags(connection)

    def comment(self, run_id: str, target: Target, author: str, text: str) -> None:
        """Keep a comment.

        Raises:
            InputError: It is blank or too long.
        """
        with self._database.writing() as connection:
            remarks.comment(connection, run_id, target, author, text)

    def delete_comment(self, run_id: str, logical_id: str) -> None:
        """Take a comment away.

        Raises:
            NotFoundError: The run has no such comment.
        """
        with self._database.writing() as connection:
            remarks.delete_comment(connection, run_id, logical_id)

    def rate(self, run_id: str, target: Target, author: str, value: RatingValue | None) -> None:
        """Put an author's rating in the place of the last one; ``None`` takes it away."""
        with self._database.writing() as connection:
            remarks.rate(connection, run_id, target, author, value)

    def take_in(self, run_id: str, notes: RunNotes) -> None:
        """Add the notes that came along with a run; what is noted here already stays."""
        with self._database.writing() as connection:
            known = marks.read_marks(connection, [run_id]).get(run_id, RunLabels())
            if notes.starred and not known.starred:
                marks.star(connection, run_id, starred=True)
            if notes.note and not known.note:
                marks.write(connection, run_id, notes.note)
            marks.tag(connection, run_id, [*known.tags, *notes.tags])
            remarks.take_in(connection, run_id, notes)

    def presets(self, workflow_id: str) -> list[Preset]:
        """A workflow's presets by name."""
        with self._database.reading() as connection:
            return presets.read_presets(connection, workflow_id)

    def keep_preset(self, workflow_id: str, name: str, run_input: JsonObject) -> None:
        """Keep a run input under a name, in the place of what had it before. Secrets are left out.

        Raises:
            InputError: The name is blank or too long.
        """
        with self._database.writing() as connection:
            presets.keep_preset(connection, workflow_id, name, run_input)

    def delete_preset(self, workflow_id: str, name: str) -> None:
        """Forget a preset.

        Raises:
            NotFoundError: There is none of that name.
        """
        with self._database.writing() as connection:
            presets.delete_preset(connection, workflow_id, name)

    def kit_of(self, run_id: str) -> bytes | None:
        """What was last kept as a debugger's kit for a run, such as its breakpoints; JSON as it was given."""
        with self._database.reading() as connection:
            found: bytes | None = connection.scalar(select(kits.c.kit).where(kits.c.run_id == run_id))
            return found

    def keep_kit(self, run_id: str, kit: bytes | None) -> None:
        """Keep a debugger's kit for a run, in the place of the last one; ``None`` forgets it."""
        with self._database.writing() as connection:
            if kit is None:
                connection.execute(delete(kits).where(kits.c.run_id == run_id))
                return
            fresh = insert(kits).values(run_id=run_id, kit=kit)
            connection.execute(fresh.on_conflict_do_update(index_elements=["run_id"], set_={"kit": kit}))

    def forget_unfinished(self, run_id: str) -> None:
        """Delete the interrupted turn of a run, if it has one."""
        with self._database.writing() as connection:
            forget_unfinished(connection, run_id)

    def unfinished(self, run_id: str | None = None) -> list[UnfinishedTurn]:
        """Return the interrupted turns, of every run or of one; the newest first.

        A turn is interrupted when its claim has lapsed, see `TurnClaims.lapse`.
        """
        with self._database.reading() as connection:
            return read_unfinished(connection, run_id)
