from __future__ import annotations

import time

import pytest
from streamlit.runtime import media_file_manager
from streamlit.runtime.media_file_manager import MediaFileManager, MediaFileMetadata
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from debugger.views.streamlit_patches.deferred_files import keep_deferred_files


@pytest.fixture
def files(monkeypatch):
    # Another test of this process may have started the app; the methods are put back afterwards.
    for name in ("mark_for_delete", "is_marked_for_delete"):
        monkeypatch.setattr(MediaFileMetadata, name, vars(MediaFileMetadata)[name])
    name = "_remove_orphaned_deferred_callables"
    monkeypatch.setattr(MediaFileManager, name, vars(MediaFileManager)[name])
    monkeypatch.setattr(media_file_manager, "_get_session_id", lambda: "of the page")
    keep_deferred_files()
    return MediaFileManager(MemoryMediaFileStorage("/media"))


def pressed(files):
    """Return the name of a file that was made by a press of its button."""
    made = files.add_deferred(lambda: b"turn,text", "text/csv", "1.2", "turns.csv")
    return files.execute_deferred(made).rpartition("/")[2]


def test_file_outlives_runs_of_other_pages(files):
    name = pressed(files)

    for _ in range(5):
        files.remove_orphaned_files()

    assert files.read_file(name.partition(".")[0]).content == b"turn,text"


def test_file_that_nobody_fetches_is_deleted(files, monkeypatch):
    name = pressed(files)
    files.remove_orphaned_files()
    later = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: later)

    files.remove_orphaned_files()

    assert files.read_file(name.partition(".")[0]) is None


def test_press_while_its_page_is_drawn_makes_the_file(files):
    """The browser still has the button of the run before, and other pages' runs end meanwhile."""
    made = files.add_deferred(lambda: b"turn,text", "text/csv", "1.2", "turns.csv")
    files.clear_session_refs()
    files.remove_orphaned_files()
    files.add_deferred(lambda: b"turn,text", "text/csv", "1.2", "turns.csv")
    files.remove_orphaned_files()

    assert files.execute_deferred(made).endswith(".csv")


def test_maker_that_nobody_uses_is_deleted(files, monkeypatch):
    made = files.add_deferred(lambda: b"turn,text", "text/csv", "1.2", "turns.csv")
    files.clear_session_refs()
    files.remove_orphaned_files()
    later = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: later)

    files.remove_orphaned_files()

    assert made not in files._deferred_callables
