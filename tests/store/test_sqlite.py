from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import StoreError
from debugger.settings import Settings
from debugger.store import Role

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


def test_recreated_files_are_private(tmp_path):
    file = tmp_path / "runs.sqlite3"
    with opened(file) as backend:
        backend.close()
        for part in tmp_path.iterdir():
            part.unlink()
        with pytest.raises(StoreError):
            backend.store.api_keys.all()

        assert rights(file) == 0o600


def test_linked_file_is_private(tmp_path):
    link = tmp_path / "link.sqlite3"
    link.symlink_to(tmp_path / "real.sqlite3")

    with opened(link):
        assert rights(tmp_path / "real.sqlite3") == 0o600
