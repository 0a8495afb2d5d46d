from __future__ import annotations

import io
import random
import zipfile
from contextlib import suppress

import pytest

from debugger.errors import InputError
from debugger.scenarios import archives
from debugger.scenarios.archives import read_archive, write_archive


def archive(*members, **options):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **options) as file:
        for name, content in members:
            file.writestr(name, content)
    return out.getvalue()


def test_archive_is_read_as_written():
    files = {"a.scenario.yaml": "name: Ä", "a.json": "{}"}

    assert read_archive(write_archive(files), "a.zip") == {
        name: text.encode() for name, text in files.items()
    }


def test_folders_and_files_of_macos_are_left_out():
    content = archive(
        ("tea/", ""),
        ("tea/a.scenario.yaml", "name: A"),
        ("__MACOSX/tea/._a.scenario.yaml", "x"),
        (".hid", "x"),
    )

    assert read_archive(content, "a.zip") == {"a.scenario.yaml": b"name: A"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no archive", "'a.zip' cannot be read: File is not a zip file"),
        (archive(("a/x.yaml", ""), ("b/x.yaml", "")), "has two files 'x.yaml'"),
        (archive(*((f"{number}", "") for number in range(4))), "has 4 files"),
        (archive(("x", b"0" * 30_000_000), compression=zipfile.ZIP_DEFLATED), "more than 20,971,520 bytes"),
    ],
)
def test_unusable_archive_is_refused(content, message, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)

    with pytest.raises(InputError, match=message):
        read_archive(content, "a.zip")


def test_damaged_member_is_refused():
    content = bytearray(write_archive({"a.yaml": "name: Tea" * 100}))
    content[50] ^= 0xFF

    with pytest.raises(InputError, match="cannot be read"):
        read_archive(bytes(content), "a.zip")


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_damage_anywhere_is_an_input_error(method):
    content, chance = (
        archive(("a.yaml", "name: Tea" * 200), ("b.csv", "x,y"), compression=method),
        random.Random(1),
    )

    for _ in range(1_000):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        with suppress(InputError):
            read_archive(bytes(damaged), "a.zip")
