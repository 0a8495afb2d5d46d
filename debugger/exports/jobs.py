"""Exports that are written in the background, into private temporary files."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import BinaryIO, Literal

from debugger.errors import DebuggerError, UnexpectedError
from debugger.exports.formats import ExportCancelled, ExportOptions, ExportProgress, write_export
from debugger.exports.records import ExportedRun

_log = logging.getLogger(__name__)

JobState = Literal["running", "done", "failed", "cancelled"]


class ExportJob:
    """One export in the background.

    Its file has no name in any folder, so nothing of it is left when the process ends, however it ends.

    Args:
        read: Reads the runs; called once, in the thread of the job.
        total: The number of runs.
        options: Content and format.
        file_name: The name under which the file is saved.
    """

    def __init__(
        self,
        read: Callable[[], Iterator[ExportedRun]],
        total: int,
        options: ExportOptions,
        file_name: str,
    ) -> None:
        """Open a temporary file, which `close` deletes; nothing is read yet."""
        self.total = total
        self.options = options
        self.file_name = file_name
        self.progress = ExportProgress()
        self.state: JobState = "running"
        self.error: DebuggerError | None = None
        """The reason of a failure."""
        self.size = 0
        """Bytes of the whole file; 0 until it is written."""
        self.begun_at = time.monotonic()
        self._read = read
        self._file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  # it is read by other threads later
        self._over = threading.Event()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to write in a thread of its own."""
        threading.Thread(target=copy_context().run, args=(self._write,), name="export", daemon=True).start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for its end; return whether it came in time."""
        return self._over.wait(seconds)

    def cancel(self) -> None:
        """End it; what was written is deleted."""
        self.progress.cancelled.set()

    def close(self) -> None:
        """Delete the file; a job that still writes is cancelled."""
        self.cancel()
        if self._over.is_set():
            with self._lock:
                self._file.close()

    def read(self, offset: int, size: int) -> bytes:
        """Return a part of the file; empty after its end."""
        with self._lock:
            return b"" if self._file.closed else os.pread(self._file.fileno(), size, offset)

    def _write(self) -> None:
        """Write the file in this thread; leave state and error in the attributes, never raise."""
        try:
            write_export(self._file, self._read(), self.options, self.progress)
            self._file.flush()
            self.size = os.fstat(self._file.fileno()).st_size
            self.state = "done"
        except ExportCancelled:
            self.state = "cancelled"
        except DebuggerError as error:
            self.error, self.state = error, "failed"
        except OSError as error:
            sentence = f"The file cannot be written: {error.strerror or error}."
            self.error, self.state = DebuggerError(sentence, advice="Is the disk full?"), "failed"
        except Exception as error:
            _log.exception("An export failed")
            self.error = UnexpectedError(
                f"The export was interrupted ({type(error).__name__}).", advice="The page's log says more."
            )
            self.error.__cause__, self.state = error, "failed"
        finally:
            self._over.set()
            if self.state != "done" or self.progress.cancelled.is_set():
                self.close()
