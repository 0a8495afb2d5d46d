"""Damaged and hostile SQLite files.

Commands and page refuse them in one sentence and leave the file unchanged.
"""

from __future__ import annotations

import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from debugger.backends import open_embedded
from debugger.cli import main
from debugger.errors import DebuggerError
from debugger.settings import Settings
from debugger.store import Role, Store, new_id
from debugger.views.backends import embedded_backend
from tests.support.turns import WholeTurn, append_turn

ROOT = Path(__file__).parents[2]
PAGE_SIZE = 4096


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The bytes of a database in use."""
    file = tmp_path_factory.mktemp("sound") / "debugger.sqlite3"
    with closing(Store(f"sqlite:///{file}")) as store:
        workflows = [
            store.create_workflow({"name": f"Tea {number}", "text": "x" * 3000}) for number in range(8)
        ]
        for number in range(40):
            append_turn(
                store,
                WholeTurn(
                    run_id=new_id(),
                    turn_number=1,
                    status="waiting_for_user_input",
                    checkpoint=b'{"a":"%b"}' % (b"x" * 1500),
                    started_at=time.time() - 9e6,
                    finished_at=time.time() - 9e6,
                    workflow_id=workflows[number % 8].id,
                    version_number=0,
                    events_json=b"[]",
                ),
            )
        for number in range(20):
            store.api_keys.add(f"Ada {number}", Role.ADMIN)
            store.audit.append("Ada", "admin", "import workflow", workflows[0].id)
    return file.read_bytes()


def truncated(data, chance):
    return data[: chance.randrange(1, len(data))]


def flipped_header(data, chance):
    # The magic, the size of pages, what is reserved, the schema format and the encoding.
    return flip(data, chance, [*range(18), *range(20, 24), *range(44, 48), *range(56, 60)], 3)


def flipped_schema(data, chance):
    starts = [found.start() for found in re.finditer(rb"CREATE (TABLE|INDEX|UNIQUE)", data)]
    return flip(data, chance, [start + place for start in starts for place in range(-30, 150)], 60)


def flipped_page(data, chance):
    return flip(data, chance, range(PAGE_SIZE, len(data)), 5 * (len(data) // PAGE_SIZE))


def flip(data, chance, places, count):
    changed = bytearray(data)
    for place in chance.choices(places, k=count):
        changed[place] ^= 1 << chance.randrange(8)
    return bytes(changed)


def swapped_pages(data, chance):
    pages = [data[place : place + PAGE_SIZE] for place in range(0, len(data), PAGE_SIZE)]
    for _ in range(len(pages) // 3):
        one, other = chance.sample(range(1, len(pages)), 2)
        pages[one], pages[other] = pages[other], pages[one]
    return b"".join(pages)


def zero_pages(data, chance):
    pages = [data[place : place + PAGE_SIZE] for place in range(0, len(data), PAGE_SIZE)]
    for number in chance.sample(range(1, len(pages)), len(pages) // 2):
        pages[number] = bytes(PAGE_SIZE)
    return b"".join(pages)


def noise_pages(data, chance):
    # The tables at the end are read by none of the commands.
    start = chance.randrange(1, len(data) // PAGE_SIZE // 2) * PAGE_SIZE
    return data[:start] + chance.randbytes(len(data) - start)


SEEDED = [
    (damage, seed)
    for damage, count in (
        (truncated, 8),
        (flipped_header, 6),
        (flipped_schema, 9),
        (flipped_page, 9),
        (swapped_pages, 5),
        (zero_pages, 5),
        (noise_pages, 3),
    )
    for seed in range(count)
]
FIXED = {
    "wrong magic": lambda data: b"SQLite format 2\0" + data[16:],
    "one byte": lambda data: data[:1],
    "the header alone": lambda data: data[:100],
    "text": lambda data: b"Dear reader, " * 500,
    "zeros": lambda data: bytes(PAGE_SIZE * 4),
    "page size 0": lambda data: data[:16] + b"\0\0" + data[18:],
}
STATEMENTS = {
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON turns BEGIN DELETE FROM runs; END",
    "a trigger on keys": "CREATE TRIGGER t AFTER INSERT ON api_keys BEGIN DELETE FROM api_keys; END",
    "a view in a table's place": "DROP TABLE api_keys; CREATE VIEW api_keys AS SELECT * FROM run_tags",
    "a table of other columns": "DROP TABLE api_keys; CREATE TABLE api_keys (id TEXT, secret TEXT)",
    "a table less": "DROP TABLE spoken",
    "a column less": "ALTER TABLE comments DROP COLUMN content",
    "a virtual table": "DROP TABLE kits; CREATE VIRTUAL TABLE kits USING fts5(run_id)",
    "meta of another program": "DROP TABLE meta; CREATE TABLE meta (key, value)",
    "a schema version of bytes": "UPDATE meta SET value = x'33' WHERE key = 'schema_version'",
    "a newer schema": "UPDATE meta SET value = '99' WHERE key = 'schema_version'",
    "an unknown revision": "UPDATE alembic_version SET version_num = '9999'",
    "a revision of bytes": "UPDATE alembic_version SET version_num = x'00'",
    "an earlier revision": "UPDATE alembic_version SET version_num = '0004'",
    "two revisions": "INSERT INTO alembic_version VALUES ('0001')",
    "no revision": "DELETE FROM alembic_version",
}
VALUES = {
    "a role that is none": (2, False, "UPDATE api_keys SET role = 'root'"),
    "a time that is text": (
        2,
        True,
        "UPDATE api_keys SET created_at = 'x'; UPDATE runs SET updated_at = 'x', created_at = 'x'",
    ),
    "a time without end": (
        1,
        True,
        "UPDATE api_keys SET created_at = 9e999; UPDATE runs SET updated_at = 9e999",
    ),
    "texts that are no UTF-8": (2, False, "UPDATE api_keys SET person = CAST(x'ff' AS TEXT)"),
}
"""How many commands, and whether the page, refuse a value: those that read it."""

HINT = "For help, send this with the output of: workflow-debugger report"


def check_commands(file):
    """Run the commands on a file; return how many refused it."""
    url = f"sqlite:///{file}"
    before = file.read_bytes() if file.is_file() else None
    refusals = 0
    for arguments in (["keys", "list"], ["prune", "--days", "1"], ["backup", file.parent / "backup"]):
        done = CliRunner().invoke(main, [str(argument) for argument in (*arguments, "--database", url)])
        assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
        lines = [line for line in done.stderr.splitlines() if line != HINT]
        said = lines[:1]  # a backup lists the rows that it lacks below
        assert not lines[1:] or arguments[0] == "backup"
        assert (done.exit_code, len(said)) in ((0, 0), (1, 1)), lines
        assert all(line.startswith("error: ") and line.endswith(".") for line in said)
        refusals += done.exit_code
    assert before is None or file.read_bytes() == before
    return refusals


def check_page(file):
    """Open a file as the page; return whether it was refused."""
    before = file.read_bytes() if file.is_file() else None
    try:
        with closing(open_embedded(Settings(database=f"sqlite:///{file}"), environment={})) as backend:
            backend.workflows()
            backend.runs()
    except DebuggerError as error:
        assert "\n" not in str(error)
        assert before is None or file.read_bytes() == before
        return True
    return False


@pytest.mark.parametrize(("damage", "seed"), SEEDED, ids=lambda value: getattr(value, "__name__", str(value)))
def test_damaged_file_is_refused_in_one_sentence(sound, tmp_path, damage, seed):
    file = tmp_path / "debugger.sqlite3"
    file.write_bytes(damage(sound, random.Random(f"{damage.__name__} {seed}")))

    assert check_commands(file) == 3
    assert check_page(file)


@pytest.mark.parametrize("name", FIXED)
def test_file_that_is_no_database_is_refused(sound, tmp_path, name):
    file = tmp_path / "debugger.sqlite3"
    file.write_bytes(FIXED[name](sound))

    assert check_commands(file) == 3
    assert check_page(file)


@pytest.mark.parametrize("name", STATEMENTS)
def test_hostile_schema_is_refused(sound, tmp_path, name):
    file = tmp_path / "debugger.sqlite3"
    file.write_bytes(sound)
    with closing(sqlite3.connect(file)) as database:
        database.executescript(STATEMENTS[name])

    assert check_commands(file) == 3
    assert check_page(file)


@pytest.mark.parametrize("name", VALUES)
def test_value_of_another_kind_is_refused(sound, tmp_path, name):
    refusals, is_page_refused, statement = VALUES[name]
    file = tmp_path / "debugger.sqlite3"
    file.write_bytes(sound)
    with closing(sqlite3.connect(file)) as database:
        database.executescript(statement)

    assert check_commands(file) == refusals
    assert check_page(file) is is_page_refused


def test_garbage_in_the_log_is_ignored(sound, tmp_path):
    file = tmp_path / "debugger.sqlite3"
    file.write_bytes(sound)
    (tmp_path / "debugger.sqlite3-wal").write_bytes(random.Random(1).randbytes(50_000))
    (tmp_path / "debugger.sqlite3-shm").write_bytes(random.Random(2).randbytes(32_768))

    assert check_commands(file) == 0


def test_folder_is_refused(tmp_path):
    (tmp_path / "debugger.sqlite3").mkdir()

    assert check_commands(tmp_path / "debugger.sqlite3") == 3
    assert check_page(tmp_path / "debugger.sqlite3")


OTHER_USER = """
import os, sys
from debugger.errors import StoreError
from debugger.store import Store
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
try:
    Store(sys.argv[1])
except StoreError as error:
    print(error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_file_of_another_user_is_refused(sound, mode):
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        file = Path(folder) / "debugger.sqlite3"
        file.write_bytes(sound)
        file.chmod(mode)

        done = subprocess.run(
            [sys.executable, "-B", "-c", OTHER_USER, f"sqlite:///{file}"],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )

        assert done.stderr == ""
        assert re.fullmatch(r"The database .* (cannot be opened|may not be (read|written)).*\n", done.stdout)
        assert file.read_bytes() == sound


@pytest.mark.parametrize("damage", [truncated, noise_pages])
def test_page_shows_the_sentence(sound, tmp_path, monkeypatch, damage):
    file = tmp_path / "debugger.sqlite3"
    file.write_bytes(damage(sound, random.Random(1)))
    before = file.read_bytes()
    monkeypatch.setenv("WORKFLOW_DEBUGGER_DATABASE", f"sqlite:///{file}")
    embedded_backend.clear()

    app = AppTest.from_file(str(ROOT / "debugger/views/pages/script.py")).run()

    embedded_backend.clear()
    assert not app.exception
    [shown] = [error.value.replace("\\", "") for error in app.error]
    assert shown.startswith(f"The database {file} ")
    assert "\n" not in shown
    assert file.read_bytes() == before
