"""Erasure of runs: a planted text is searched in the whole database afterwards."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, String, insert, select, update

from debugger.errors import TurnInProgressError
from debugger.protocol.runs import RunSearch
from debugger.store import Store
from debugger.store.claims import take_claim
from debugger.store.retention import RUN_TABLES
from debugger.store.schema import forks, metadata, runs, turns
from tests.store.test_claims import a_claim
from tests.store.test_retention import a_fork, keep
from tests.support.postgres import wait_for_lock

MARKER = "quokka-4711"
UNTOUCHED = {"runs", "forks", "turns"}


def plant(store, run_id):
    """Put the marker into each text and each blob of every row of a run."""
    with store._database.writing() as connection:
        for table in (*RUN_TABLES, runs, forks):
            own = {"run_id": run_id, "id": run_id}
            marked = {column.name: planted(column) for column in table.columns if is_free(column)}
            if table.name in UNTOUCHED:
                key = table.c.get("run_id", table.c.get("id"))
                connection.execute(update(table).where(key == run_id).values(marked))
            else:
                rest = {column.name: 1 for column in table.columns if column.name not in marked}
                names = {name: own[name] for name in own if name in table.columns}
                connection.execute(insert(table).values({**rest, **marked, **names, **flags(table)}))


def is_free(column):
    is_id = column.name in {"id", "run_id", "source_run_id", "workflow_id", "source_workflow_run_id"}
    return not is_id and isinstance(column.type, String | LargeBinary) and length_of(column) >= len(MARKER)


def length_of(column):
    return getattr(column.type, "length", None) or 1_000


def planted(column):
    return MARKER.encode() if isinstance(column.type, LargeBinary) else MARKER


def flags(table):
    short = {
        column.name: "x"
        for column in table.columns
        if isinstance(column.type, String) and not is_free(column)
    }
    switches = {column.name: True for column in table.columns if column.type.python_type is bool}
    return {name: value for name, value in {**short, **switches}.items() if name not in ("run_id", "id")}


def found_in(store, folder: Path) -> set[str]:
    """Return every place of the database that holds the marker."""
    places = {file.name for file in folder.iterdir() if MARKER.encode() in file.read_bytes()}
    with store._database.reading() as connection:
        for table in metadata.tables.values():
            for row in connection.execute(select(table)):
                if any(MARKER.encode() in as_bytes(value) for value in row):
                    places.add(table.name)
    return places


def as_bytes(value):
    return value if isinstance(value, bytes) else str(value).encode()


def test_every_table_of_runs_is_listed():
    by_run = {table.name for table in metadata.tables.values() if "run_id" in table.columns}

    assert by_run == {table.name for table in RUN_TABLES} | {"forks"}


def test_erase_leaves_nothing_in_the_database(url, tmp_path):
    with closing(Store(url)) as store:
        run_id, other = keep(store, 2), keep(store, 1)
        fork = a_fork(run_id, 1)
        store.forks.create(fork)
        plant(store, run_id)
        with store._database.writing() as connection:
            connection.execute(
                update(forks).values(source_run_id=run_id, changes=MARKER.encode(), note=MARKER)
            )
        before = found_in(store, tmp_path)

        assert store.erase_runs([run_id]) is True

        assert {table.name for table in RUN_TABLES} | {"runs", "forks"} <= before
        assert found_in(store, tmp_path) == set()
        assert {run.workflow_run_id for run in store.runs()[0]} == {other, fork.record.run_id}
        assert store.run(fork.record.run_id).source_workflow_run_id is None


def test_erase_takes_chosen_forks_along(url, tmp_path):
    with closing(Store(url)) as store:
        run_id = keep(store, 2, events_json=b'[{"content": "%s"}]' % MARKER.encode())
        first = a_fork(run_id, 1)
        store.forks.create(first)
        second = a_fork(first.record.run_id, 0)
        store.forks.create(second)

        assert store.forks.copies(run_id) == {first.record.run_id: 1, second.record.run_id: 0}

        store.erase_runs([run_id])
        left = found_in(store, tmp_path)
        store.erase_runs([first.record.run_id])

        assert "turns" in left
        assert found_in(store, tmp_path) == set()
        assert [run.workflow_run_id for run in store.runs()[0]] == [second.record.run_id]


def test_erase_covers_search_index_and_earlier_states(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/runs.sqlite3")) as store:
        run_id = keep(store, 2, events_json=spoken_event(), number=1)
        keep(store, 1, number=2, run_id=run_id)
        assert store.runs(search=RunSearch(text=MARKER)).total == 1

        store.erase_runs([run_id])

        assert found_in(store, tmp_path) == set()


def spoken_event() -> bytes:
    return b'[{"type": "assistant_response", "content": "%s"}]' % MARKER.encode()


def test_erase_refuses_a_run_with_a_turn_in_progress(store):
    run_id = keep(store, 1)
    store.claims.take(a_claim(run_id, 2))

    with pytest.raises(TurnInProgressError, match="Stop it first"):
        store.erase_runs([run_id])

    assert store.run(run_id).workflow_run_id == run_id


def test_erase_waits_for_a_claim(postgres_url):
    with closing(Store(postgres_url)) as store, closing(Store(postgres_url)) as other:
        busy = keep(store, 1)
        with ThreadPoolExecutor() as pool:
            with other._database.writing_cursor() as cursor:
                take_claim(cursor, a_claim(busy, 2))
                erased = pool.submit(store.erase_runs, [busy])
                wait_for_lock(postgres_url)

            with pytest.raises(TurnInProgressError):
                erased.result(20)


def test_erase_says_when_a_reader_holds_the_log(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/runs.sqlite3?timeout=0.2")) as store:
        run_id = keep(store, 1)
        with store._database.reading() as connection:
            connection.execute(select(turns.c.run_id)).all()

            assert store.erase_runs([run_id]) is False

        assert store.erase_runs([]) is True
