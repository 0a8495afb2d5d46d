from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from debugger.errors import StoreError
from debugger.store.database import Database
from debugger.store.store import Store


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
