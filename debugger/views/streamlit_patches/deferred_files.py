"""Files that are made as a button to download them is pressed.

Streamlit deletes such a file as the second script run after that ends, of any page: where several pages are
drawn, it is gone before the browser that pressed the button fetches it. What makes the file is gone as the
next run ends: each run gives a button a new id, and while its own page is drawn anew it has none that counts.
"""

from __future__ import annotations

import time
from collections.abc import MutableMapping
from typing import Any

from streamlit.runtime.media_file_manager import MediaFileManager, MediaFileMetadata

_SECONDS = 60.0
"""How long a file that no page shows can be fetched, and made by a button that a browser still shows."""
_SINCE = "unused_since"


def keep_deferred_files() -> None:
    """Delete files that no page shows, and what makes them, only when a browser has had the time for them."""
    MediaFileMetadata.mark_for_delete = _mark  # type: ignore[method-assign, assignment]
    MediaFileMetadata.is_marked_for_delete = property(_is_due)  # type: ignore[method-assign, assignment]
    MediaFileManager._remove_orphaned_deferred_callables = _remove_unused  # type: ignore[method-assign, assignment]


def _mark(file: MediaFileMetadata) -> None:
    vars(file).setdefault(_SINCE, time.monotonic())


def _is_due(file: MediaFileMetadata) -> bool:
    since: float | None = vars(file).get(_SINCE)
    return since is not None and time.monotonic() - since >= _SECONDS


def _remove_unused(manager: MediaFileManager) -> None:
    """Remove what makes files once no page has shown it for `_SECONDS`."""
    shown = {file for files in manager._files_by_session_and_coord.values() for file in files.values()}
    now = time.monotonic()
    for file_id, found in list(manager._deferred_callables.items()):
        entry: MutableMapping[str, Any] = found  # type: ignore[assignment]
        if file_id not in shown and now - entry.setdefault(_SINCE, now) >= _SECONDS:
            manager._drop_deferred_id(file_id)
