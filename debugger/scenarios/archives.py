"""ZIP archives of scenario files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import PurePosixPath

from debugger.errors import InputError
from debugger.protocol.file_limits import SCENARIO_FILE

MAX_MEMBERS = 2_000
"""Files in one archive, at most."""

_AT = (1980, 1, 1, 0, 0, 0)
"""The earliest time that an archive can have: equal content makes an equal file."""


def write_archive(files: Mapping[str, str]) -> bytes:
    """Return an archive of texts by the names of their files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, _AT), text.encode(), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def read_archive(content: bytes, name: str) -> dict[str, bytes]:
    """Return the files of an archive by their names without folders.

    Folders, files whose name begins with a dot and those that macOS adds are left out; the result may be
    empty.

    Args:
        content: The archive.
        name: Its name, for errors.

    Raises:
        InputError: It is damaged or encrypted, has two files of one name, or is larger than its limits, which
            hold for what is unpacked.
    """
    left, files = SCENARIO_FILE.max_bytes, dict[str, bytes]()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [each for each in archive.infolist() if _is_read(each)]
            if len(members) > MAX_MEMBERS:
                raise InputError(
                    f"The archive {name!r} has {len(members):,} files.",
                    advice=f"Split it: {MAX_MEMBERS:,} are the most.",
                )
            for member in members:
                own = PurePosixPath(member.filename).name
                if own in files:
                    raise InputError(
                        f"The archive {name!r} has two files {own!r}.", advice="Rename one of them."
                    )
                with archive.open(member) as file:
                    files[own] = file.read(left + 1)  # what its directory says of sizes may be wrong
                left -= len(files[own])
                if left < 0:
                    raise InputError(
                        f"The archive {name!r} has more than {SCENARIO_FILE.max_bytes:,} bytes unpacked.",
                        advice="Split it.",
                    )
    except InputError:
        raise
    except Exception as error:  # what is damaged makes zipfile and its decompressors raise errors of any kind
        raise InputError(
            f"The archive {name!r} cannot be read: {error}.", advice="Make it again, as a ZIP file."
        ) from error
    return files


def _is_read(member: zipfile.ZipInfo) -> bool:
    """Return whether a member is a file, and not one that macOS adds."""
    path = PurePosixPath(member.filename)
    return not member.is_dir() and path.parts[:1] != ("__MACOSX",) and not path.name.startswith(".")
