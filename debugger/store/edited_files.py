"""The compare-and-set of `edited_tables` for a text file: its digest is its revision."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from debugger.errors import EditConflictError
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.store.sql_helpers import iso_time

try:
    import fcntl
except ImportError:  # Windows: only the threads of one process exclude each other
    fcntl = None  # type: ignore[assignment]

_gate = threading.Lock()


def file_revision(path: Path) -> int:
    """Return the revision of a file: 52 bits of its SHA-256, or `NEVER_WRITTEN` where there is none.

    Raises:
        OSError: It cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return NEVER_WRITTEN
    return int(hashlib.sha256(content).hexdigest()[:13], 16) or 1


def write_file(path: Path, text: str, expected: int | None, *, subject: str) -> int:
    """Replace a text file in place of the revision that its author has seen; return the new revision.

    Args:
        path: The file, or a link to it, which stays; its folder exists.
        text: The new text.
        expected: The revision that the author has seen; ``None`` replaces any.
        subject: What is written, as a sentence begins with it.

    Raises:
        EditConflictError: Another revision is stored; nothing was written.
        OSError: The file cannot be read or written.
    """
    path = path.resolve()
    with _locked(path.parent):
        present = file_revision(path)
        if expected is not None and present != expected:
            raise _conflict(path, present, subject)
        beside = path.with_suffix(".new")
        try:
            beside.write_bytes(text.encode())
            beside.replace(path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
        return file_revision(path)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Exclude other threads in the block, and other processes where the system can lock a folder."""
    with _gate:
        if fcntl is None:
            yield
            return
        handle = os.open(folder, os.O_RDONLY)
        try:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _conflict(path: Path, present: int, subject: str) -> EditConflictError:
    """Return the error that says what a file holds now, of which revision and time, or that it is gone."""
    is_there = present != NEVER_WRITTEN
    return EditConflictError(
        f"{subject} has been {'changed' if is_there else 'deleted'} meanwhile; nothing was stored.",
        present=path.read_text(encoding="utf-8", errors="replace") if is_there else None,
        revision=present,
        changed_at=iso_time(path.stat().st_mtime) if is_there else "",
        advice="Look at what is stored now, then save again to replace it.",
    )
