from __future__ import annotations

import gzip
import json
import logging
import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import text

from debugger.errors import StoreError
from debugger.store import Store, back_up, restore
from debugger.store.database import Database
from debugger.store.migrations import REVISIONS
from debugger.store.migrations.upgrading import upgrade

TEA = "6b06b74837aa64951f0110ab"
EARLIER, NEWEST = REVISIONS[1], REVISIONS[-1]


def earlier_release(url, name="Tea"):
    """A database of an earlier revision, with a workflow unless it has no name."""
    created = "yes" if name else "no"
    with closing(Database(url)) as database, database.changing_tables() as connection:
        upgrade(connection, EARLIER)
        connection.execute(text("INSERT INTO meta VALUES ('schema_version', '2')"))
        connection.execute(text(f"INSERT INTO meta VALUES ('workflows_created', '{created}')"))
        if name:
            statement = "INSERT INTO workflows (id, name, active_version_number, created_at, updated_at)"
            connection.execute(text(f"{statement} VALUES ('{TEA}', '{name}', 0, 1.0, 1.0)"))


def revision(url):
    with closing(Database(url)) as database, database.reading() as connection:
        return connection.scalar(text("SELECT version_num FROM alembic_version"))


def backups(folder):
    return sorted(path.name for path in folder.glob("*.backup"))


def test_migration_backs_the_database_up_first(url, tmp_path, data_folder, caplog):
    folder = data_folder if url.startswith("postgresql") else tmp_path
    known = set(backups(folder))
    earlier_release(url)

    with caplog.at_level(logging.WARNING):
        Store(url).close()

    [name] = set(backups(folder)) - known
    file = folder / name
    assert name.endswith(f".before-{NEWEST}.backup")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [str(file) in record.message for record in caplog.records] == [True]
    assert json.loads(gzip.decompress(file.read_bytes()).splitlines()[0])["revision"] == EARLIER
    restored = f"sqlite:///{tmp_path}/restored.sqlite3"
    restore(restored, file)
    with closing(Store(restored)) as store:
        assert [workflow.name for workflow in store.workflows()[0]] == ["Tea"]


def test_several_openers_make_one_backup(tmp_path):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"
    earlier_release(url)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: Store(url).close(), range(8)))

    [name] = backups(tmp_path)
    assert json.loads(gzip.decompress((tmp_path / name).read_bytes()).splitlines()[0])["revision"] == EARLIER
    assert revision(url) == NEWEST


def test_empty_database_is_migrated_without_backup(url, tmp_path, data_folder):
    before = backups(tmp_path), backups(data_folder)
    earlier_release(url, name="")

    Store(url).close()

    assert revision(url) == NEWEST
    assert (backups(tmp_path), backups(data_folder)) == before


def test_failed_backup_stops_the_migration(tmp_path):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"
    earlier_release(url)
    (tmp_path / f"debugger.sqlite3.before-{NEWEST}.backup").mkdir()

    with pytest.raises(StoreError, match="was not brought up to date, for it cannot be backed up") as caught:
        Store(url)
    stopped = revision(url)
    Store(f"{url}?backup=off").close()

    assert "?backup=off" in caught.value.advice
    assert (stopped, revision(url)) == (EARLIER, NEWEST)


def test_only_the_newest_backups_are_kept(tmp_path):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"
    for age, number in enumerate(("0002", "0003", "0004", "0005")):
        path = tmp_path / f"debugger.sqlite3.before-{number}.backup"
        path.touch()
        os.utime(path, (age, age))
    (tmp_path / "other.sqlite3.before-0001.backup").touch()
    earlier_release(url)

    Store(url).close()

    kept = ("0004", "0005", NEWEST)
    expected = [f"debugger.sqlite3.before-{number}.backup" for number in kept]
    assert backups(tmp_path) == [*expected, "other.sqlite3.before-0001.backup"]


def test_database_of_before_the_migrations_is_backed_up(tmp_path):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"
    earlier_release(url)
    with closing(sqlite3.connect(tmp_path / "debugger.sqlite3")) as database:
        for table in (
            "alembic_version",
            "workflow_facts",
            "favorites",
            "global_variables",
            "rerun_tokens",
            "kits",
        ):
            database.execute(f"DROP TABLE {table}")

    Store(url).close()

    [name] = backups(tmp_path)
    lines = [json.loads(line) for line in gzip.decompress((tmp_path / name).read_bytes()).splitlines()]
    assert lines[0]["revision"] == REVISIONS[0]
    assert lines[-1]["end"]["workflows"] == 1


@pytest.mark.parametrize("value", ["?backup=maybe", "?backup=on&backup=off"])
def test_odd_backup_option_is_refused(tmp_path, value):
    with pytest.raises(StoreError, match="backup in the database URL"):
        Store(f"sqlite:///{tmp_path}/debugger.sqlite3{value}")


def test_row_that_could_not_be_restored_is_reported(tmp_path):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"
    with closing(Store(url)) as store:
        store.create_workflow({"name": "Tea"})
    with closing(sqlite3.connect(tmp_path / "debugger.sqlite3")) as database:
        database.execute("UPDATE workflows SET created_at = 'yesterday'")
        database.commit()

    with pytest.raises(
        StoreError, match="Row 1 of the table workflows cannot be backed up: column created_at"
    ):
        back_up(url, tmp_path / "backup")

    assert backups(tmp_path) == []
    assert not (tmp_path / "backup").exists()
