from __future__ import annotations

import os
import secrets
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import QueuePool, event, literal_column, select

from debugger.errors import InputError, StoreError
from debugger.store.database import Database, PreparedStatement
from debugger.store.keys import Role
from debugger.store.sql_helpers import new_id
from debugger.store.store import Store
from tests.support.turns import WholeTurn, append_turn


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 1), ("foreign_keys", 1), ("busy_timeout", 10_000)],
)
def test_a_connection_to_a_file_is_set_up(tmp_path, pragma, value):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"

    with closing(Store(url)), closing(Database(url)) as database, database.reading() as connection:
        found = connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()

    assert found == value


def test_the_folder_of_the_file_is_made(tmp_path):
    file = tmp_path / "not" / "there" / "debugger.sqlite3"

    Store(f"sqlite:///{file}").close()

    assert file.exists()


def test_a_store_in_memory_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with closing(Store("sqlite://")) as store, closing(Store("sqlite:///:memory:")) as other:
        store.create_workflow({"name": "Tea"})
        assert other.is_empty()

    assert list(tmp_path.iterdir()) == []


def open_files(name):
    return [
        link for link in Path("/proc/self/fd").iterdir() if link.exists() and link.readlink().name == name
    ]


def test_transaction_outlives_close_and_leaves_no_connection(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/runs.sqlite3")
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE facts (value)")

    with database.writing_cursor() as cursor:
        database.close()
        cursor.raw.execute("INSERT INTO facts VALUES (1)")
    assert open_files("runs.sqlite3") == []

    with database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO facts VALUES (2)")
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT value FROM facts").scalars().all() == [1, 2]
    with pytest.raises(StoreError), database.writing_cursor() as cursor:
        cursor.raw.execute("INSERT INTO others VALUES (3)")
    assert open_files("runs.sqlite3") == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "debugger.sqlite3",
        "postgresql://user:hunter2@host",
        "postgresql://user:hunter2@host/database?password=hunter2",
        "postgresql://user:hunter2@host/database?connections=0",
        "postgresql+asyncpg://user:hunter2@host/database",
        "sqlite+aiosqlite:///debugger.sqlite3",
        "sqlite://user:hunter2@host/debugger.sqlite3",
        "mysql://user:hunter2@host:port/database",
        "sqlite:///nul\0.sqlite3",
        "sqlite:///debugger.sqlite3?timeout=soon",
        "sqlite:///debugger.sqlite3?mode=ro",
    ],
)
def test_invalid_url_error_hides_password(url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(StoreError) as caught:
        Store(url)

    assert "URL" in caught.value.message
    assert caught.value.advice
    assert "hunter2" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("no folder")

    with pytest.raises(StoreError, match=r"folder .*file/below cannot be made: Not a directory"):
        Store(f"sqlite:///{tmp_path}/file/below/debugger.sqlite3")


def test_concurrent_creation_succeeds(url):
    program = (
        "import sys; from debugger.store.store import Store\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "store = Store(sys.argv[1]); store.create_workflow({'name': 'Tea'}); store.close()"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", program, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"

    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        child.communicate(timeout=30)

    assert [child.returncode for child in children] == [0, 0, 0, 0]
    with closing(Store(url)) as store:
        assert store.workflows()[1] == 4


def test_open_waits_for_locked_file(tmp_path):
    file = tmp_path / "debugger.sqlite3"
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.1, other.execute, ["ROLLBACK"])
        release.start()

        store = Store(f"sqlite:///{file}")

        release.join()
        assert store.is_empty()
        store.close()


def test_open_reports_file_locked_for_long(tmp_path):
    file = tmp_path / "debugger.sqlite3"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreError, match="is locked"):
            Store(f"sqlite:///{file}?timeout=0.1")


def a_turn(**fields):
    values = {
        "run_id": new_id(),
        "turn_number": 1,
        "status": "completed",
        "checkpoint": b"state",
        "started_at": time.time(),
        "finished_at": time.time(),
        "workflow_id": new_id(),
        "version_number": 0,
    }
    return WholeTurn(**{**values, **fields})


def test_open_rejects_other_file_unchanged(tmp_path):
    file = tmp_path / "letter.txt"
    file.write_text("Dear reader, " * 100)

    with pytest.raises(StoreError, match="is not a database") as caught:
        Store(f"sqlite:///{file}")

    assert "WORKFLOW_DEBUGGER_DATABASE" in caught.value.advice
    assert file.read_text() == "Dear reader, " * 100


def test_file_of_a_few_bytes_is_not_overwritten(tmp_path):
    file = tmp_path / "letter.txt"
    file.write_text("D")

    with pytest.raises(StoreError, match="is not a database: it is too small"):
        Store(f"sqlite:///{file}")

    assert file.read_text() == "D"


def test_stored_value_of_another_kind_is_an_error(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/debugger.sqlite3")) as store:
        store.api_keys.add("Ada", Role.ADMIN)
        with closing(sqlite3.connect(tmp_path / "debugger.sqlite3")) as database:
            database.execute("UPDATE api_keys SET role = 'root'")
            database.commit()

        with pytest.raises(StoreError, match="holds a value that cannot be read: 'root'"):
            store.api_keys.all()


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(f"sqlite:///{tmp_path}")


def test_a_damaged_database_is_an_error_with_advice(tmp_path):
    file = tmp_path / "debugger.sqlite3"
    store = Store(f"sqlite:///{file}")
    for _ in range(50):
        append_turn(store, a_turn(events_json=b'[{"content":"%s"}]' % (b"x" * 2000)))
    store.close()
    with file.open("r+b") as damaged:
        damaged.seek(4096)
        damaged.write(os.urandom(file.stat().st_size - 4096))

    with (
        pytest.raises(StoreError, match="has a damaged page") as caught,
        closing(Store(f"sqlite:///{file}")) as store,
    ):
        store.runs()

    assert "workflow-debugger backup" in caught.value.advice


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_folder_error_has_advice(tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)

    with pytest.raises(StoreError, match="cannot be opened") as caught:
        Store(f"sqlite:///{folder}/debugger.sqlite3")

    assert "folder" in caught.value.advice


def test_locked_database_is_error_after_timeout(tmp_path):
    file = tmp_path / "debugger.sqlite3"
    with (
        closing(Store(f"sqlite:///{file}?timeout=0.05")) as store,
        closing(sqlite3.connect(file, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreError, match="is locked"):
            append_turn(store, a_turn())
        with pytest.raises(StoreError, match="is locked"):
            store.create_workflow({"name": "Tea"})

        assert store.runs() == ([], 0, 0)
        other.execute("ROLLBACK")
        append_turn(store, a_turn())
        assert store.runs()[1] == 1


def test_writers_wait_for_each_other_until_timeout(tmp_path):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3?timeout=0.05"
    with closing(Store(url)) as store, closing(Database(url)) as database, database.writing():
        with database.reading_cursor() as cursor:
            assert cursor.row(PreparedStatement(select(literal_column("1")))) == (1,)

        with pytest.raises(StoreError, match="others here have written to it"):
            database.writing_cursor().__enter__()
        with pytest.raises(StoreError, match="is locked"), database.writing():
            pass
        with pytest.raises(StoreError, match="database is locked"):
            append_turn(store, a_turn())


def test_full_disk_leaves_whole_turns(tmp_path):
    def limit(connection, _record):
        connection.execute("PRAGMA max_page_count=150")

    run_id = new_id()
    event.listen(QueuePool, "connect", limit)
    try:
        with closing(Store(f"sqlite:///{tmp_path}/debugger.sqlite3")) as store:
            kept = 0
            with pytest.raises(StoreError, match="no space left"):
                for number in range(1, 100):
                    append_turn(
                        store,
                        a_turn(
                            run_id=run_id,
                            turn_number=number,
                            # Noise, which no packing makes smaller.
                            events_json=b'[{"content":"%s"}]' % secrets.token_hex(4500).encode(),
                        ),
                    )
                    kept = number

            assert 0 < kept < 99
            assert store.run(run_id).turn_count == kept
            assert len(store.run(run_id).input_output_pairs) == kept
    finally:
        event.remove(QueuePool, "connect", limit)


def test_unstorable_values_are_input_errors(tmp_path):
    with closing(Store("sqlite://")) as store:
        workflow_id = store.create_workflow({"name": "Tea"}).id

        with pytest.raises(InputError, match="cannot be stored"):
            store.document(workflow_id, 2**64)
        with pytest.raises(InputError, match="cannot be stored"):
            store.workflows(search="\ud83c")
        with pytest.raises(InputError, match="cannot be stored"):
            append_turn(store, a_turn(run_by="\ud83c"))

        assert store.runs() == ([], 0, 0)
