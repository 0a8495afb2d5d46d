"""Truncated, damaged, oversized, foreign and newer backups.

Each is refused in one sentence and changes nothing.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import time
import zipfile
import zlib
from contextlib import closing

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from debugger.cli import main
from debugger.store import Role, Store, TurnClaim, back_up
from debugger.store.backup_file import MAX_LINE
from debugger.store.database import Database
from debugger.store.schema import metadata
from tests.support.postgres import a_database, a_schema
from tests.support.turns import WholeTurn, append_turn

RUN = "665f0c2b9a3e4d5f6a7b8c90"
BUSY_RUN = "665f0c2b9a3e4d5f6a7b8c91"


def fill(url):
    with closing(Store(url)) as store:
        workflow = store.create_workflow({"name": "Tea"})
        for number in (1, 2):
            append_turn(
                store,
                WholeTurn(
                    run_id=RUN,
                    turn_number=number,
                    status="waiting_for_user_input",
                    checkpoint=b"{}",
                    started_at=1.0,
                    finished_at=2.0,
                    workflow_id=workflow.id,
                    version_number=0,
                    events_json=b"[]",
                ),
            )
        store.claims.take(
            TurnClaim(
                run_id=BUSY_RUN,
                turn_number=1,
                workflow_id=workflow.id,
                version_number=0,
                begins_run=True,
                run_status="running",
                started_at=6.0,
                owner="elsewhere",
                lease_seconds=9e9,
                pair=b'{"run_input":{}}',
                client_turn_id="c1",
                user_turn_number=1,
            )
        )
        store.notes.star(RUN)
        store.api_keys.add("Ada", Role.ADMIN)
        store.audit.append("Ada", "admin", "import workflow", workflow.id)


def rows(url):
    with closing(Database(url)) as database, database.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


def command(*arguments):
    """Return exit code and standard error lines of a command."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    return done.exit_code, done.stderr.splitlines()


@pytest.fixture(scope="module")
def victim(tmp_path_factory):
    """Return a SQLite database in use, its rows and backup lines."""
    folder = tmp_path_factory.mktemp("victim")
    url = f"sqlite:///{folder}/debugger.sqlite3"
    fill(url)
    back_up(url, folder / "backup")
    return url, rows(url), gzip.decompress((folder / "backup").read_bytes()).splitlines(keepends=True)


class Forgery:
    """The lines of a good backup, to be changed."""

    def __init__(self, lines):
        self.lines = list(lines)

    def table(self, name):
        """The number of the line that begins a table."""
        return next(
            n for n, line in enumerate(self.lines) if line.startswith(b'{"table":"%b"' % name.encode())
        )

    def row(self, name, **values):
        """Change values in the first row of a table."""
        place = self.table(name)
        names, row = json.loads(self.lines[place])["columns"], json.loads(self.lines[place + 1])
        for column, value in values.items():
            row[names.index(column)] = value
        self.lines[place + 1] = json.dumps(row).encode() + b"\n"

    def replace(self, name, old, new):
        """Replace bytes in the first row of a table that has them."""
        part = self.rows_of(name)
        place = next(n for n in range(part.start + 1, part.stop) if old in self.lines[n])
        self.lines[place] = self.lines[place].replace(old, new, 1)

    def head(self, name, **values):
        """Change what the line that begins a table says."""
        place = self.table(name)
        self.lines[place] = json.dumps({**json.loads(self.lines[place]), **values}).encode() + b"\n"

    def rows_of(self, name):
        """The lines of a table, its first one included."""
        place = self.table(name)
        end = next(n for n in range(place + 1, len(self.lines)) if self.lines[n].startswith(b"{"))
        return slice(place, end)

    def counted(self, **counts):
        """Change the numbers of rows at the end."""
        end = json.loads(self.lines[-1])["end"]
        self.lines[-1] = json.dumps({"end": {**end, **counts}}).encode() + b"\n"

    def insert(self, place, *lines):
        self.lines[place:place] = lines

    def twice(self, name, **values):
        """Repeat a table's first row with other values; count it."""
        place = self.table(name) + 1
        first = self.lines[place]
        self.row(name, **values)
        self.insert(place, first)
        self.counted(**{name: json.loads(self.lines[-1])["end"][name] + 1})

    def packed(self, level=1):
        return gzip.compress(b"".join(self.lines), level)


def bomb_of_rows(forgery):
    """Rows that are good by themselves, each packed to a thousandth."""
    place = forgery.table("comments") + 1
    row = ["", "r", "run", "", "a", "x" * 1_000_000, 1.0]
    forgery.insert(place, *(json.dumps([f"c{n}", *row[1:]]).encode() + b"\n" for n in range(20)))
    return forgery.packed(9)


def bomb_of_one_line(forgery):
    packer = zlib.compressobj(1, wbits=31)
    parts = [packer.compress(b"".join(forgery.lines[:2])), packer.compress(b"[")]
    parts += [packer.compress(b" " * 1_000_000) for _ in range(MAX_LINE // 1_000_000 + 2)]
    return b"".join([*parts, packer.flush()])


def zipped(forgery):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("backup", b"".join(forgery.lines))
    return file.getvalue()


def flipped(data, place):
    return data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]


FILES = {
    "empty": (lambda f: b"", "is not a backup"),
    "text": (lambda f: b"Dear reader", "is not a backup"),
    "not packed": (lambda f: b"".join(f.lines), "is not a backup"),
    "zip": (zipped, "is not a backup"),
    "other JSON": (lambda f: gzip.compress(b"{}\n"), "is not a backup"),
    "a deeply nested header": (lambda f: gzip.compress(b"[" * 90_000), "is not a backup"),
    "a large header": (lambda f: gzip.compress(b'{"a":"%b"}\n' % (b"x" * 900_000)), "is not a backup"),
    "two lines": (lambda f: gzip.compress(f.lines[0] + b'{"end":{}}\n'), "its schema version is None"),
    "the header alone": (lambda f: gzip.compress(f.lines[0]), "ends too early, after line 1"),
    "cut off": (lambda f: f.packed()[:-300], "ends too early"),
    "the checksum cut off": (lambda f: f.packed()[:-4], "ends too early"),
    "another checksum": (lambda f: flipped(f.packed(), -6), "it was damaged"),
    "a flipped byte": (lambda f: flipped(f.packed(), 500), r"damaged|cannot be read at line|ends too early"),
    "garbage behind it": (lambda f: f.packed() + b"garbage", "other data follow it"),
    "another member behind it": (
        lambda f: f.packed() + gzip.compress(f.lines[0]),
        "something follows the end",
    ),
    "many empty members": (lambda f: gzip.compress(b"") * 20_000, "is not a backup"),
    "a bomb of one line": (bomb_of_one_line, "longer than 64,000,000 bytes"),
    "a bomb of rows": (bomb_of_rows, "unpacks to more than 300 times its size"),
}
"""Bytes made of a good backup's lines, and the reason of the refusal."""

LINES = {
    "a newer version": (
        lambda f: f.insert(0, f.lines.pop(0).replace(b'"version":1', b'"version":2')),
        "newer version",
    ),
    "a version that is no number": (
        lambda f: f.insert(0, f.lines.pop(0).replace(b'"version":1', b'"version":[]')),
        "is not a backup",
    ),
    "a revision that never was": (
        lambda f: f.insert(
            0, json.dumps({**json.loads(f.lines.pop(0)), "revision": "0000"}).encode() + b"\n"
        ),
        "at line 1: there was never a version 1 with a revision '0000'",
    ),
    "a row before its table": (
        lambda f: f.insert(1, b'["a"]\n'),
        "at line 2: it is neither a row nor the columns",
    ),
    "a line of text": (lambda f: f.insert(1, b'"Dear reader"\n'), "at line 2: it is neither"),
    "a line that is not JSON": (lambda f: f.insert(2, b"{]\n"), "at line 3: it is neither"),
    "an empty line": (lambda f: f.insert(2, b"\n"), "at line 3: it is neither"),
    "no end": (lambda f: f.lines.pop(), "ends too early"),
    "an end without counts": (
        lambda f: f.lines.append(f.lines.pop() and b'{"end":null}\n'),
        "other numbers of rows",
    ),
    "a row less": (lambda f: f.lines.pop(f.table("turns") + 1), "other numbers of rows"),
    "a line after the end": (lambda f: f.lines.append(b"[]\n"), "something follows the end"),
    "two ends": (lambda f: f.lines.append(f.lines[-1]), "something follows the end"),
    "an unknown table": (
        lambda f: f.insert(1, b'{"table":"songs","columns":[],"binary":[]}\n'),
        "no table 'songs'",
    ),
    "a table that is a list": (lambda f: f.head("kits", table=["kits"]), "there is no table"),
    "the table of revisions": (
        lambda f: f.insert(1, b'{"table":"alembic_version","columns":["version_num"],"binary":[]}\n'),
        "no table 'alembic_version'",
    ),
    "a table twice": (
        lambda f: f.insert(len(f.lines) - 1, *f.lines[f.rows_of("run_marks")]),
        "other numbers of rows",
    ),
    "a column less": (
        lambda f: f.head("run_marks", columns=["run_id", "note"]),
        "the table run_marks has the columns run_id, starred, note, revision",
    ),
    "another column": (lambda f: f.head("kits", columns=["run_id", "rowid"]), "kits has no column 'rowid'"),
    "columns that are no texts": (lambda f: f.head("kits", columns=[{}, []]), "kits has no column '{}'"),
    "a row too short": (lambda f: f.insert(f.table("kits") + 1, b'["r"]\n'), "it has 1 values for 2 columns"),
    "a row of a million values": (
        lambda f: f.insert(f.table("kits") + 1, b"[" + b"0," * 1_000_000 + b"0]\n"),
        "it has 1000001 values for 2 columns",
    ),
    "a deeply nested row": (
        lambda f: f.insert(f.table("kits") + 1, b"[" * 1_000_000 + b"\n"),
        "it is neither a row",
    ),
    "an object as a value": (
        lambda f: f.insert(f.table("kits") + 1, b'["r",{}]\n'),
        "column kit: a list or an object",
    ),
    "not a number": (
        lambda f: f.replace("runs", b",1.0,", b",NaN,"),
        "column created_at: a number that is not finite",
    ),
    "an infinite number": (
        lambda f: f.replace("runs", b",1.0,", b",1e999,"),
        "column created_at: a number that is not finite",
    ),
    "a number of 5,000 digits": (
        lambda f: f.replace("runs", b",1.0,", b",%b," % (b"9" * 5_000)),
        "it is neither a row",
    ),
    "a number beyond 64 bits": (
        lambda f: f.row("turns", turn_number=2**63),
        "lines .*: Python int too large",
    ),
    "a text for a number": (
        lambda f: f.row("turns", turn_number="1"),
        "column turn_number: a text in the place of an integer",
    ),
    "true for a number": (lambda f: f.row("turns", turn_number=True), "column turn_number: true or false"),
    "a number for a text": (
        lambda f: f.row("runs", status=1),
        "column status: an integer in the place of a text",
    ),
    "a number for true": (lambda f: f.row("run_marks", starred=1), "column starred: an integer"),
    "no value where one is needed": (
        lambda f: f.row("runs", status=None),
        "column status: no value in the place of a text",
    ),
    "broken base64": (lambda f: f.row("turns", events="W10=="), "column events: this is not base64"),
    "a number for bytes": (
        lambda f: f.row("turns", events=3),
        "column events: an integer in the place of bytes",
    ),
    "half a character": (lambda f: f.row("runs", status="\ud83c"), "lines .*: .*surrogates not allowed"),
    "bytes that are no text": (lambda f: f.replace("runs", b"waiting", b"\xff\xfe"), "it is neither a row"),
    "a key with an unknown role": (
        lambda f: f.row("api_keys", role="root"),
        "the role 'root' of a key is none of",
    ),
    "a user with a terminal's command": (
        lambda f: f.row("api_keys", person="Ada\x1b[2J"),
        "no user can have the name 'Ada",
    ),
    "a user with a line end": (lambda f: f.row("api_keys", person="Ada\n"), "no user can have the name"),
    "a user without a name": (lambda f: f.row("api_keys", person=" "), "no user can have the name"),
    "a user with an endless name": (
        lambda f: f.row("api_keys", person="A" * 81),
        "no user can have the name",
    ),
    "a user who writes backwards": (lambda f: f.row("api_keys", person="\u202eadA"), "no user can have the"),
    "a team with a path": (
        lambda f: f.row("api_keys", team="../../x"),
        "no team can have the name '../../x'",
    ),
    "a team with a command": (lambda f: f.row("api_keys", team="x; rm -rf ~"), "no team can have the name"),
    "a key with a command as id": (lambda f: f.row("api_keys", id="$(reboot)"), "is no id of a key"),
    "another schema version": (
        lambda f: f.replace("meta", b'"4"', b'"99"'),
        "its schema version is 99 and not 4",
    ),
    "no schema version": (
        lambda f: f.replace("meta", b"schema_version", b"schema"),
        "its schema version is None and not 4",
    ),
    "a primary key twice": (
        lambda f: f.twice("run_marks"),
        "lines .*: UNIQUE constraint failed: run_marks.run_id",
    ),
    "a digest twice": (
        lambda f: f.twice("api_keys", id="other"),
        "UNIQUE constraint failed: api_keys.digest",
    ),
    "a turn of no run": (
        lambda f: f.row("turns", run_id="gone"),
        "rows would refer to nothing, the first one of turns",
    ),
    "a turn in progress without input": (
        lambda f: f.replace("turns", b"eyJydW5faW5wdXQiOnt9fQ==", b"W10="),
        "a turn in progress",
    ),
}
"""Changes of a good backup's lines, and the reason of the refusal."""


def check_refused(url, before, file, reason):
    code, shown = command("restore", file, "--replace", "--database", url)

    shown = [line for line in shown if not line.startswith("For help, ")]
    assert (code, len(shown)) == (1, 1), shown
    assert shown[0].startswith("error: ")
    assert re.search(reason, shown[0]), shown
    assert rows(url) == before


@pytest.mark.parametrize("name", FILES)
def test_hostile_file_is_refused(victim, tmp_path, name):
    url, before, lines = victim
    forge, reason = FILES[name]
    (tmp_path / "backup").write_bytes(forge(Forgery(lines)))
    began = time.monotonic()

    check_refused(url, before, tmp_path / "backup", reason)

    assert time.monotonic() - began < 10


@pytest.mark.parametrize("name", LINES)
def test_forged_lines_are_refused(victim, tmp_path, name):
    url, before, lines = victim
    forge, reason = LINES[name]
    forgery = Forgery(lines)
    forge(forgery)
    (tmp_path / "backup").write_bytes(forgery.packed())

    check_refused(url, before, tmp_path / "backup", reason)


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "link to nothing", "link to itself"])
def test_path_that_is_no_file_is_refused(victim, tmp_path, kind):
    url, before, _ = victim
    file = tmp_path / "backup"
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to({"device": "/dev/zero", "link to nothing": "gone", "link to itself": "backup"}[kind])

    check_refused(url, before, file, r"regular file|No such file|[Tt]oo many")


def test_unforged_lines_are_restored(victim, tmp_path):
    _, before, lines = victim
    (tmp_path / "backup").write_bytes(Forgery(lines).packed(9))
    url = f"sqlite:///{tmp_path}/other.sqlite3"

    code, shown = command("restore", tmp_path / "backup", "--database", url)

    assert (code, shown) == (0, [])
    assert rows(url)["api_keys"] == before["api_keys"]


@pytest.fixture(scope="module")
def server_victim(victim):
    """The same database on a server."""
    with a_database() as name, a_schema(name) as url:
        fill(url)
        yield url, rows(url)


ON_A_SERVER = {
    "two lines": (
        lambda f: f.lines.__setitem__(slice(1, None), [b'{"end":{}}\n']),
        "its schema version is None",
    ),
    "the character 0": (
        lambda f: f.row("runs", status="a\0b"),
        "lines .*: PostgreSQL text fields cannot contain",
    ),
    "a text too long": (lambda f: f.row("runs", status="x" * 33), "lines .*: value too long"),
    "a primary key twice": (lambda f: f.twice("run_marks"), "lines .*: duplicate key value"),
    "a turn of no run": (lambda f: f.row("turns", run_id="gone"), "lines .*: insert or update on table"),
    "a number of the last row": (lambda f: f.row("turns", id=2**63 - 1), "cannot be stored"),
}


@pytest.mark.parametrize("name", ON_A_SERVER)
def test_forged_lines_are_refused_on_postgresql(victim, server_victim, tmp_path, name):
    _, _, lines = victim
    url, before = server_victim
    forge, reason = ON_A_SERVER[name]
    forgery = Forgery(lines)
    forge(forgery)
    (tmp_path / "backup").write_bytes(forgery.packed())

    check_refused(url, before, tmp_path / "backup", reason)
