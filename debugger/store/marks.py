"""Stars, tags and notes of runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, delete, func, select

from debugger.errors import InputError
from debugger.protocol.notes import RunLabels
from debugger.store.notebook_schema import run_marks, run_tags
from debugger.store.upserts import insert

MOST_TAG_CHARACTERS = 50


def read_marks(connection: Connection, run_ids: Collection[str]) -> dict[str, RunLabels]:
    """The marks of those of the runs that have any."""
    tags: dict[str, list[str]] = {}
    tagged = select(run_tags).where(run_tags.c.run_id.in_(run_ids)).order_by(run_tags.c.tag)
    for row in connection.execute(tagged):
        tags.setdefault(row.run_id, []).append(row.tag)
    marked = {
        row.run_id: row
        for row in connection.execute(select(run_marks).where(run_marks.c.run_id.in_(run_ids)))
    }
    return {
        run_id: RunLabels(
            starred=marked[run_id].starred if run_id in marked else False,
            tags=tags.get(run_id, []),
            note=marked[run_id].note if run_id in marked else "",
        )
        for run_id in run_ids
        if run_id in marked or run_id in tags
    }


def star(connection: Connection, run_id: str, *, starred: bool) -> None:
    """Give a run a star, or take it."""
    fresh = insert(run_marks).values(run_id=run_id, starred=starred, note="")
    connection.execute(fresh.on_conflict_do_update(index_elements=["run_id"], set_={"starred": starred}))


def write(connection: Connection, run_id: str, note: str) -> None:
    """Write a note on a run; an empty one takes it away."""
    fresh = insert(run_marks).values(run_id=run_id, starred=False, note=note)
    connection.execute(fresh.on_conflict_do_update(index_elements=["run_id"], set_={"note": note}))


def tag(connection: Connection, run_id: str, tags: Iterable[str]) -> None:
    """Give a run exactly these tags.

    Raises:
        InputError: A tag is too long.
    """
    wanted = list(dict.fromkeys(" ".join(tag.split()) for tag in tags if tag.strip()))
    long = next((tag for tag in wanted if len(tag) > MOST_TAG_CHARACTERS), None)
    if long is not None:
        raise InputError(
            f"The tag {long[:20]!r}… has {len(long)} characters.",
            advice=f"A tag has {MOST_TAG_CHARACTERS} at most; write the rest as a note.",
        )
    connection.execute(delete(run_tags).where(run_tags.c.run_id == run_id))
    if wanted:
        connection.execute(insert(run_tags), [{"run_id": run_id, "tag": tag} for tag in wanted])


def known_tags(connection: Connection) -> list[str]:
    """Every tag that some run has, the most used first."""
    count = func.count().label("count")
    statement = select(run_tags.c.tag).group_by(run_tags.c.tag).order_by(count.desc(), run_tags.c.tag)
    return list(connection.scalars(statement))
