from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from debugger.errors import StoreError
from debugger.store.database import Database
from debugger.store.schema import SCHEMA_VERSION
from debugger.store.store import Store


def test_reopened_database_keeps_content(url):
    with closing(Store(url)) as store:
        workflow = store.create_workflow({"name": "Tea"})

    with closing(Store(url)) as store:
        assert store.workflows() == ([workflow], 1)


def test_store_detects_changed_tables(url):
    with closing(Store(url)) as store, closing(Database(url)) as other:
        before = store.has_present_tables()
        with other.writing() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        after = store.has_present_tables()

    assert (before, after) == (True, False)


def test_a_new_database_notes_its_schema_version(tmp_path):
    file = tmp_path / "debugger.sqlite3"

    Store(f"sqlite:///{file}").close()

    with closing(sqlite3.connect(file)) as database:
        [found] = database.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
    assert found == str(SCHEMA_VERSION)


def test_a_database_of_a_newer_program_is_refused(tmp_path):
    file = tmp_path / "debugger.sqlite3"
    Store(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
        database.commit()

    with pytest.raises(StoreError, match="schema version 99") as caught:
        Store(f"sqlite:///{file}")

    assert "newest version" in caught.value.advice


def test_database_before_first_release_is_rejected(tmp_path):
    file = tmp_path / "debugger.sqlite3"
    Store(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE meta SET value = '1' WHERE key = 'schema_version'")
        database.commit()

    with pytest.raises(StoreError, match="schema version 1") as caught:
        Store(f"sqlite:///{file}")

    assert "another one" in caught.value.advice


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE songs (title TEXT)",
        "CREATE TABLE meta (composer TEXT)",
        "CREATE TABLE meta (key TEXT, value TEXT)",
    ],
)
def test_database_of_other_program_is_rejected(tmp_path, statement):
    file = tmp_path / "music.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        database.execute(statement)
    before = file.read_bytes()

    with pytest.raises(StoreError, match="another program"):
        Store(f"sqlite:///{file}")

    assert file.read_bytes() == before


def test_an_empty_file_becomes_a_database(tmp_path):
    file = tmp_path / "debugger.sqlite3"
    file.touch()

    with closing(Store(f"sqlite:///{file}")) as store:
        assert store.is_empty()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux tells which files are open")
def test_a_refused_database_is_let_go_of(tmp_path):
    file = tmp_path / "music.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE songs (title TEXT)")

    with pytest.raises(StoreError, match="another program") as caught:
        Store(f"sqlite:///{file}")

    open_files = {str(link.resolve()) for link in Path("/proc/self/fd").iterdir()}
    assert caught.value.__traceback__ is not None
    assert str(file) not in open_files


def test_missing_notes_tables_are_added(tmp_path):
    file = tmp_path / "debugger.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        database.executescript(Path(__file__).with_name("before_the_notes.sql").read_text())
    url = f"sqlite:///{file}"

    with closing(Store(url)) as store:
        store.notes.star("665f0c2b9a3e4d5f6a7b8c90")
        [workflow], _ = store.workflows()
        [run], *_ = store.runs()
    with closing(Store(url)) as store:
        notes = store.notes.of("665f0c2b9a3e4d5f6a7b8c90")

    assert (workflow.name, run.workflow_run_id) == ("Tea", "665f0c2b9a3e4d5f6a7b8c90")
    assert notes.starred
