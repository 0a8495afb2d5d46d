"""Upload of files, with the limit of their kind on the page and behind it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from debugger.protocol.file_limits import FileLimit


def upload_file(
    label: str, limit: FileLimit, types: Sequence[str], key: str, *, disabled: bool = False, help: str = ""
) -> UploadedFile | None:
    """Draw the upload of one file and return it; ``None`` without one.

    The size limit of the browser does not bind; `content_of` checks it.
    """
    return st.file_uploader(
        label,
        type=types,
        key=key,
        max_upload_size=limit.megabytes,
        disabled=disabled,
        help=_help(limit, help),
    )


def upload_files(label: str, limit: FileLimit, types: Sequence[str], key: str) -> list[UploadedFile]:
    """Draw the upload of several files and return them; empty without any.

    The size limit of the browser does not bind; `content_of` checks it.
    """
    return st.file_uploader(
        label,
        type=types,
        accept_multiple_files=True,
        key=key,
        max_upload_size=limit.megabytes,
        help=_help(limit),
    )


def content_of(file: UploadedFile, limit: FileLimit) -> bytes:
    """Return a file's content.

    The page's own check of its size can be passed by.

    Raises:
        InputError: It is too large.
    """
    content = file.getvalue()
    limit.check(content, file.name)
    return content


def _help(limit: FileLimit, more: str = "") -> str:
    words = f"A {limit.noun} has at most {limit.megabytes} MB."
    return f"{more} {words}".strip()
