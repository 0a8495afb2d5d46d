from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
from contextlib import closing

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.nodes import NODE_TYPES
from debugger.errors import StoreFileError
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from debugger.store import Role, Store, back_up, new_id, restore
from tests.backends.counting_process import TYPE, CountedCall, answer, await_calls, begin, calls, counted
from tests.store.test_claims import a_claim, a_result, executed, progress
from tests.support.factories import document, say

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the rights of files are POSIX's")


@pytest.fixture(autouse=True)
def usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def rights(path):
    return stat.S_IMODE(path.stat().st_mode)


def opened(file):
    return closing(EmbeddedBackend(Settings(database=f"sqlite:///{file}")))


def test_files_of_a_new_store_are_their_owners(tmp_path):
    folder = tmp_path / "data" / "debugger"
    with opened(folder / "runs.sqlite3") as backend:
        backend.store.api_keys.add("Ada", Role.READ)
        files = sorted(folder.iterdir())

        assert [file.name for file in files] == ["runs.sqlite3", "runs.sqlite3-shm", "runs.sqlite3-wal"]
        assert {rights(file) for file in files} == {0o600}
    assert rights(folder) == rights(folder.parent) == 0o700


def test_existing_files_become_private(tmp_path):
    file = tmp_path / "runs.sqlite3"
    with opened(file):
        pass
    with closing(sqlite3.connect(file)) as open_elsewhere:
        open_elsewhere.execute("SELECT count(*) FROM sqlite_master").fetchone()
        for part in tmp_path.iterdir():
            part.chmod(0o644)
        with opened(file):
            assert {rights(part) for part in tmp_path.iterdir()} == {0o600}


def test_a_folder_that_was_there_keeps_its_rights(tmp_path):
    tmp_path.chmod(0o755)

    with opened(tmp_path / "runs.sqlite3"):
        assert rights(tmp_path) == 0o755


def delete(file):
    file.unlink()


def move(file):
    file.rename(file.with_name("moved.sqlite3"))


def replace(file):
    other = file.with_name("other.sqlite3")
    Store(f"sqlite:///{other}").close()
    other.replace(file)


CHANGES = [
    (delete, "was deleted or moved away"),
    (move, "was deleted or moved away"),
    (replace, "was replaced by another file"),
]


@pytest.mark.parametrize(("change", "words"), CHANGES)
def test_file_that_is_not_at_its_path_takes_no_rows(tmp_path, change, words):
    file = tmp_path / "runs.sqlite3"
    with closing(Store(f"sqlite:///{file}")) as store:
        executed(store, run_id := new_id(), 1)
        claim = a_claim(run_id, 2)
        store.claims.take(claim)
        change(file)

        for write in (
            lambda: store.claims.take(a_claim(new_id(), 1)),
            lambda: store.claims.finish(a_result(claim)),
            lambda: store.claims.renew(claim, **progress(b"so far"), is_first=False),
            lambda: store.create_workflow(document(say("chat"))),
        ):
            with pytest.raises(StoreFileError, match=words) as caught:
                write()
            assert str(file) in caught.value.message
            assert "restart" in caught.value.advice

        with pytest.raises(StoreFileError, match=words):
            store.has_present_tables()
        assert len(store.record(run_id).turns) == 1  # can still be exported


def test_deleted_log_takes_no_changes(tmp_path):
    file = tmp_path / "runs.sqlite3"
    with closing(Store(f"sqlite:///{file}")) as store:
        executed(store, new_id(), 1)
        (tmp_path / "runs.sqlite3-wal").unlink()

        with pytest.raises(StoreFileError, match="has lost its write-ahead log"):
            store.create_workflow(document(say("chat")))
        with pytest.raises(StoreFileError, match="has lost its write-ahead log"):
            store.has_present_tables()


@pytest.mark.parametrize("change", [delete, move, replace])
def test_no_other_file_is_opened_in_its_place(tmp_path, change):
    file = tmp_path / "runs.sqlite3"
    with closing(Store(f"sqlite:///{file}")) as store:
        store.api_keys.add("Ada", Role.READ)
        change(file)
        before = sorted(tmp_path.iterdir())

        with store._database.reading(), pytest.raises(StoreFileError):
            store.api_keys.all()  # on another connection

        assert sorted(tmp_path.iterdir()) == before


def test_file_that_is_back_takes_rows(tmp_path):
    file = tmp_path / "runs.sqlite3"
    with closing(Store(f"sqlite:///{file}")) as store:
        moved = file.rename(tmp_path / "moved.sqlite3")
        with pytest.raises(StoreFileError):
            executed(store, new_id(), 1)
        moved.rename(file)

        executed(store, new_id(), 1)

        assert store.has_present_tables()


def test_link_to_another_file_is_noticed(tmp_path):
    link = tmp_path / "link.sqlite3"
    link.symlink_to(tmp_path / "real.sqlite3")
    Store(f"sqlite:///{tmp_path}/other.sqlite3").close()
    with closing(Store(f"sqlite:///{link}")) as store:
        executed(store, new_id(), 1)
        link.unlink()
        link.symlink_to(tmp_path / "other.sqlite3")

        with pytest.raises(StoreFileError, match="replaced"):
            executed(store, new_id(), 1)


def test_relative_path_is_that_of_the_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with closing(Store("sqlite:///runs.sqlite3")) as store:
        monkeypatch.chdir("/")
        with store._database.reading():
            executed(store, new_id(), 1)  # on another connection

    assert sorted(file.name for file in tmp_path.iterdir()) == ["runs.sqlite3", "runs.sqlite3-reserve"]


def test_turn_without_its_file_calls_nothing(tmp_path, monkeypatch):
    monkeypatch.setitem(NODE_TYPES, TYPE, CountedCall)
    file = tmp_path / "runs.sqlite3"
    with opened(file) as backend:
        workflow_id = backend.create_workflow(counted(tmp_path)).id
        run_id = backend.execute(workflow_id, TurnInput.with_message(None)).finish().run_id
        subprocess.run(["mv", file, tmp_path / "moved.sqlite3"], check=True)

        for run in (None, run_id):
            with pytest.raises(StoreFileError, match="deleted or moved"):
                backend.execute(workflow_id, TurnInput.with_message("hi"), run_id=run).finish()

        assert len(calls(tmp_path)) == 1


def test_process_that_lost_its_file_stores_no_turn(tmp_path, monkeypatch):
    """The file is replaced by a backup while a turn is executed in another process."""
    monkeypatch.setitem(NODE_TYPES, TYPE, CountedCall)
    file = tmp_path / "runs.sqlite3"
    with opened(file) as backend:
        workflow_id = backend.create_workflow(counted(tmp_path)).id
        run_id = backend.execute(workflow_id, TurnInput.with_message(None)).finish().run_id
        back_up(f"sqlite:///{file}", tmp_path / "backup.gz")
    (tmp_path / "wait").touch()
    process = begin(f"sqlite:///{file}", workflow_id, tmp_path, run_id=run_id, text="hi")
    await_calls(tmp_path, 2)
    restore(f"sqlite:///{tmp_path}/new.sqlite3", tmp_path / "backup.gz")
    (tmp_path / "new.sqlite3").replace(file)
    (tmp_path / "continue").touch()

    told = answer(process)

    for part in ("wal", "shm"):  # of the file before
        file.with_name(f"{file.name}-{part}").unlink(missing_ok=True)
    with opened(file) as backend:
        assert told == {"error": "TurnNotStoredError"}
        assert backend.revision(run_id).record_length == 1
        backend.execute(workflow_id, TurnInput.with_message("hi"), run_id=run_id).finish()
    assert len(calls(tmp_path)) == 3


def test_linked_file_is_private(tmp_path):
    link = tmp_path / "link.sqlite3"
    link.symlink_to(tmp_path / "real.sqlite3")

    with opened(link):
        assert rights(tmp_path / "real.sqlite3") == 0o600
