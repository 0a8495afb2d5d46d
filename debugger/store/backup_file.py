"""The file of a backup: gzip over lines of JSON."""

from __future__ import annotations

import gzip
import os
import stat
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn

from debugger.errors import InputError

MAX_LINE = 64_000_000
"""Bytes of a line: one row of a table, bytes in base64."""
MAX_BYTES = 100_000_000_000
"""Bytes of all lines, where the free space for the database is not known."""
MAX_RATIO = 300
"""Unpacked bytes for each packed one. gzip at our level reaches 229 at most, a bomb about 1,030."""
_MIN_RATIO_BYTES = 1_000_000
FORMAT = "workflow-debugger-backup"
"""Named in the first line of every backup."""
_HEAD = 200
"""Bytes of the first line that name the format."""

_LEVEL = 1
"""gzip's compression level: turns are compressed already, the gain is in base64."""


@contextmanager
def new_file(file: Path) -> Iterator[gzip.GzipFile]:
    """Yield a gzip stream into a private temporary file, which gets its name when the block ends.

    An exception in the block deletes the temporary file, and leaves an earlier backup of the name as it was.

    Raises:
        InputError: It cannot be written, or another file than a backup has its name.
    """
    try:
        if file.exists() and not _may_be_replaced(file):
            raise InputError(
                f"The file {file} is not a backup, and was left as it is.",
                advice="Name a new file, or an earlier backup to replace it.",
            )
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "wb") as raw:
                with gzip.GzipFile("", "wb", _LEVEL, raw) as lines:
                    yield lines
                raw.flush()
                os.fsync(raw.fileno())
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(
            f"The backup {file} cannot be written: {error.strerror}.",
            advice="Check that its folder exists and can be written, and that there is disk space.",
        ) from error


def _may_be_replaced(file: Path) -> bool:
    """Return whether a file is empty or begins as a backup: nobody should lose another file to a backup."""
    if not file.is_file():
        return False
    if file.stat().st_size == 0:
        return True
    try:
        with gzip.open(file) as lines:
            return FORMAT.encode() in lines.read(_HEAD)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False


class BackupFile:
    """An open backup, read once from its first line to its last.

    Args:
        file: Its path, for messages.
        raw: The packed bytes.
        max_bytes: Bytes that its lines may have; `MAX_BYTES` where that is not known.
    """

    def __init__(self, file: Path, raw: IO[bytes], max_bytes: int | None) -> None:
        self.file = file
        self.line = 0
        """The number of the line that was read last, from 1."""
        self._max_bytes = MAX_BYTES if max_bytes is None else max_bytes
        self._raw = raw
        self._lines = gzip.GzipFile(fileobj=raw)
        self._unpacked = 0

    def position(self) -> int:
        """Return the number of packed bytes that were read so far."""
        return self._raw.tell()

    def size(self) -> int:
        """Return the size of the file in bytes."""
        return os.fstat(self._raw.fileno()).st_size

    def read_line(self) -> bytes:
        """Read the next line with its newline, and count it in `line`; return ``b""`` after the last one.

        Raises:
            InputError: The file is no gzip, is damaged, ends too early or unpacks to too much, or a line is
                longer than `MAX_LINE`.
        """
        line = self._next()
        if not line:
            return line
        self.line += 1
        self._unpacked += len(line)
        if len(line) > MAX_LINE:
            self.reject(f"it is longer than {MAX_LINE:,} bytes")
        if self._unpacked > self._max_bytes:
            self.reject(f"there are more than {self._max_bytes:,} bytes up to here, and no space for them")
        if self._unpacked > max(_MIN_RATIO_BYTES, MAX_RATIO * self.position()):
            self.reject(f"the file unpacks to more than {MAX_RATIO} times its size")
        return line

    def reject(self, reason: str) -> NoReturn:
        """Raise the error for the line that was read last."""
        raise InputError(
            f"The backup {self.file} cannot be read at line {self.line}: {reason}.",
            advice="Use another one; the database was left as it is.",
        )

    def ends_too_early(self) -> InputError:
        """Return the error for a file that was cut off."""
        return InputError(
            f"The backup {self.file} ends too early, after line {self.line}.",
            advice="Use another one; the database was left as it is.",
        )

    def no_backup(self) -> InputError:
        """Return the error for a file that is no backup at all."""
        return InputError(
            f"The file {self.file} is not a backup.",
            advice="Name one that `workflow-debugger backup` has written.",
        )

    def _next(self) -> bytes:
        """Return the next line, at most one byte longer than `MAX_LINE`; ``b""`` at the end.

        Raises:
            InputError: The file is no gzip, is damaged, is cut off, is followed by other data, or cannot be
                read.
        """
        try:
            return self._lines.readline(MAX_LINE + 1)
        except EOFError as error:
            raise self.ends_too_early() from error
        except gzip.BadGzipFile as error:
            if self.line == 0:
                raise self.no_backup() from error
            reason = "other data follow it" if "Not a gzipped file" in str(error) else "it was damaged"
        except zlib.error:
            reason = "it was damaged"
        except OSError as error:
            reason = error.strerror or str(error)
        self.line += 1
        return self.reject(reason)


@contextmanager
def open_backup(file: Path, max_bytes: int | None) -> Iterator[BackupFile]:
    """Open a backup for reading; close it when the block ends. Nothing is unpacked yet.

    Args:
        file: Its path.
        max_bytes: Bytes that its lines may have; `MAX_BYTES` where that is ``None``.

    Raises:
        InputError: There is no such file, it may not be read, or it is not a regular file.
    """
    try:
        # Without waiting: a named pipe would block until it has a writer.
        handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        raise _unreadable(file, getattr(error, "strerror", None) or str(error)) from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _unreadable(file, "it is not a regular file")
        with os.fdopen(handle, "rb", closefd=False) as raw:
            yield BackupFile(file, raw, max_bytes)
    finally:
        os.close(handle)


def _unreadable(file: Path, reason: str) -> InputError:
    return InputError(f"The backup {file} cannot be read: {reason}.", advice="Check the path.")
