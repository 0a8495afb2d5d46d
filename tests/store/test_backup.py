from __future__ import annotations

import errno
import gzip
import json
import os
import secrets
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, insert, inspect, select, update

import debugger.store.backup
from debugger.errors import ConflictError, InputError, NotFoundError, StoreError
from debugger.protocol.notes import Target
from debugger.protocol.runs import ForkRecord, RunSearch
from debugger.protocol.scenario_runs import ScenarioMark
from debugger.store import (
    CarriedUsage,
    ReplayTarget,
    RerunTicket,
    Role,
    RunFork,
    Store,
    StoredRepetition,
    StoredReplayResult,
    StoredResult,
    UnfinishedTurn,
    back_up,
    new_id,
    restore,
    schema,
)
from debugger.store.claims import interrupt_all
from debugger.store.database import Database
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.store.migrations import REVISIONS
from debugger.store.migrations.upgrading import upgrade
from debugger.store.schema import metadata, revisions
from tests.store.interrupted import interrupt
from tests.support.turns import WholeTurn, append_turn

RUN = "665f0c2b9a3e4d5f6a7b8c90"
COPY = "665f0c2b9a3e4d5f6a7b8c91"


def a_turn(run_id, number, **fields):
    values = {
        "status": "waiting_for_user_input",
        "checkpoint": b"\x00\xff state",
        "started_at": 1_785_200_000.125,
        "finished_at": 1_785_200_000.5 + number,
        "workflow_id": "665f00000000000000000001",
        "version_number": 0,
        "events_json": b'[{"type":"assistant_response","content":"Gr\xc3\xbcn"}]',
    }
    return WholeTurn(run_id=run_id, turn_number=number, **{**values, **fields})


def a_copy(record):
    usage = CarriedUsage(
        token_usage_json=b'{"total_tokens":7}', latency_stats_json=b'{"call_count":2}', has_calls=True
    )
    return RunFork(
        record=record,
        pair_count=1,
        checkpoint=b"copied",
        status="waiting_for_user_input",
        version_number=0,
        version_name=None,
        usage=usage,
    )


def fill(url):
    """A row or more in every table."""
    with closing(Store(url, encryption_key="a long text")) as store:
        workflow = store.create_workflow({"name": "Tea", "large": 2**80, "odd": "\ud83c \u0000 ü"})
        store.create_version(workflow.id, version_name="Second", mark_as_active=True)
        for number in range(1, 4):
            append_turn(store, a_turn(RUN, number, pair_json=b'{"run_output":{}}' if number == 2 else None))
        store.forks.create(
            a_copy(ForkRecord(run_id=COPY, source_run_id=RUN, turn_number=2, changes=({"a": 1},)))
        )
        store.notes.star(RUN)
        store.notes.change_tags([RUN], ["smoke"])
        store.notes.comment(RUN, Target.turn(2), "Ada", "Slow.\nVery 'slow'.")
        store.notes.rate(RUN, Target(), "Ada", "up")
        store.notes.keep_preset(workflow.id, "Known caller", {"run_by": "qa"}, expected=NEVER_WRITTEN)
        store.notes.keep_debug_setup(RUN, b"[]")
        interrupt(store, UnfinishedTurn(new_id(), workflow.id, 0, 1.5, b"{}"))
        store.catalogue.note(workflow.id, created_by="ada", max_concurrent_runs=3)
        store.catalogue.set_favorite(workflow.id, "ada", is_favorite=True)
        store.globals.create(
            {"name": "key", "value": "tea-1", "is_secret": True, "description": None, "category": None}
        )
        store.rerun_tokens.mint(
            RerunTicket(
                run_id=RUN, turn_index=1, graph_digest="d", expires_at=time.time() + 60, target={}, edits={}
            )
        )
        store.api_keys.add("Ada", Role.RUN)
        store.ended_logins.add("e" * 64, time.time() + 60)
        store.audit.append("Ada", "run", "send turn", RUN, {"turn_number": 1})
        store.python_consents.add(workflow.id, 0, "d" * 64, "Ada")
        store.ended_logins.add("e" * 64, 4e9)
        store.scenario_runs.save("a", ScenarioMark("Booking", "a.scenario.yaml", "passed"))
        store.suites.begin("5" * 24, started_by="Ada", program_version="1.0", selected=1)
        store.suites.add(
            "5" * 24, StoredResult("a::b", "d" * 64, "failed", "new", [StoredRepetition(RUN, {"turns": 1})])
        )
        store.replays.begin(
            "7" * 24,
            ReplayTarget(workflow.id, 1, "d" * 64),
            started_by="Ada",
            program_version="1.0",
            selected=1,
        )
        store.replays.add("7" * 24, StoredReplayResult(RUN, "path", "a" * 24, {"turns": 1}))
        store.replays.accept(workflow.id, "a" * 24, accepted_by="Ada", comment="On purpose.")
        assert store.runs(search=RunSearch(text="grün")).total == 2
    fill_reviews(url)


def fill_reviews(url):
    """A row in each table of reviews, presets, filters and deletion."""
    rows = {
        schema.verdicts: {
            "connection": "",
            "run_id": RUN,
            "target_kind": "run",
            "target_key": "",
            "reviewer": "Ada",
            "value": "pass",
            "comment": "Right.",
            "checks": "{}",
            "created_at": 1.5,
            "updated_at": 2.5,
        },
        schema.rubrics: {"workflow_id": RUN, "checks": "[]"},
        schema.demo_scripts: {"connection": "", "workflow_id": RUN, "lines": "[]"},
        schema.export_presets: {"name": "Mine", "settings": "{}", "updated_at": 1.5},
        schema.saved_filters: {"name": "Failed", "filter": "{}", "updated_at": 1.5},
        schema.scenarios: {"name": "Tea", "text": "name: Tea", "author": "Ada", "updated_at": 1.5},
        schema.hidden_runs: {"run_id": COPY, "hidden_by": "Ada", "hidden_at": 1.5},
        schema.run_facts: {"run_id": RUN, "turn_count": 3, "format_version": 1, "facts": b"{}"},
    }
    with closing(Database(url)) as database, database.writing() as connection:
        for table, row in rows.items():
            connection.execute(insert(table), row)


def content(url):
    """All rows of all tables."""
    with closing(Database(url)) as database, database.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


def fill_empty_columns(url):
    """Values in the columns that have none, which a restore could leave out unseen.

    Those of turns say which other columns have a value.
    """
    values = {str: "5" * 24, int: 3, float: 2.5, bytes: b"3", bool: True}
    with closing(Database(url)) as database, database.writing() as connection:
        for table in metadata.sorted_tables:
            for column in table.c if table is not schema.turns else ():
                is_constant = column.name == "revision"  # 1 by default
                if is_constant or connection.scalar(select(func.count(column))) == 0:
                    key, *_ = table.primary_key
                    first = key == select(func.min(key)).scalar_subquery()
                    connection.execute(
                        update(table).where(first).values({column: values[column.type.python_type]})
                    )


@pytest.fixture(params=["sqlite to sqlite", "sqlite to pg", "pg to sqlite", "pg to pg"])
def two_urls(request, tmp_path):
    """The URLs of two databases, of the same kind or not."""
    kinds = request.param.split(" to ")
    if kinds == ["pg", "pg"]:
        return request.getfixturevalue("postgres_url"), request.getfixturevalue("other_postgres_url")
    return [
        request.getfixturevalue("postgres_url") if kind == "pg" else f"sqlite:///{tmp_path}/{place}.sqlite3"
        for place, kind in enumerate(kinds)
    ]


def test_restore_brings_everything_back(two_urls, tmp_path):
    source, destination = two_urls
    fill(source)

    back_up(source, tmp_path / "backup")
    counts = restore(destination, tmp_path / "backup")

    assert content(destination) == content(source)
    assert min(counts.values()) > 0
    assert counts == {name: len(rows) for name, rows in content(source).items()}
    with closing(Store(destination)) as store:
        append_turn(store, a_turn(RUN, 4))
        append_turn(store, a_turn(new_id(), 1))
        assert len(store.run(RUN).input_output_pairs) == 4
        assert store.run(COPY).carried_over_llm_token_usage == {"total_tokens": 7}
        assert store.run(COPY).carried_over_llm_latency_stats == {"call_count": 2}
        assert not store.is_empty()


def test_restore_brings_every_column_back(url, other_url, tmp_path):
    fill(url)
    fill_empty_columns(url)

    back_up(url, tmp_path / "backup")
    restore(other_url, tmp_path / "backup")

    assert content(other_url) == content(url)


def test_backup_replaces_character_0(url, tmp_path):
    source = f"sqlite:///{tmp_path}/source.sqlite3"
    with closing(Store(source)) as store:
        append_turn(store, a_turn(RUN, 1, run_by="q\0a"))
        store.notes.comment(RUN, Target(), "Ada", "Green\0tea")
    back_up(source, tmp_path / "backup")

    restore(url, tmp_path / "backup")

    with closing(Store(url)) as store:
        assert store.run(RUN).run_by == "q\ufffda"
        assert [comment.content for comment in store.notes.of(RUN).comments] == ["Green\ufffdtea"]


def test_backup_has_header_and_private_mode(url, tmp_path):
    fill(url)

    back_up(url, tmp_path / "backup")

    with gzip.open(tmp_path / "backup") as lines:
        first, *_, last = [json.loads(line) for line in lines]
    assert (first["format"], first["version"]) == ("workflow-debugger-backup", 1)
    assert first["revision"] == REVISIONS[-1]
    assert last["end"]["turns"] == 4
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o600


def test_backup_replaces_file_once_complete(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"
    Store(url).close()
    back_up(url, tmp_path / "backup")
    first = (tmp_path / "backup").read_bytes()
    fill(url)
    write = gzip.GzipFile.write

    def until_the_disk_is_full(file, data):
        if b"forks" in data:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data)

    monkeypatch.setattr(gzip.GzipFile, "write", until_the_disk_is_full)

    with pytest.raises(InputError, match="No space left"):
        back_up(url, tmp_path / "backup")

    assert (tmp_path / "backup").read_bytes() == first
    assert [path.name for path in tmp_path.iterdir() if "backup" in path.name] == ["backup"]


def test_backup_replaces_no_other_archive(tmp_path):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"
    Store(url).close()
    file = tmp_path / "notes.gz"

    for other in (gzip.compress(b"My notes, which are nowhere else."), b"\x1f\x8bcut"):
        file.write_bytes(other)
        with pytest.raises(InputError, match="is not a backup"):
            back_up(url, file)
        assert file.read_bytes() == other
    file.write_bytes(b"")
    back_up(url, file)
    back_up(url, file)
    restore(f"sqlite:///{tmp_path}/other.sqlite3", file)


def test_restore_replaces_content_only_on_request(url, tmp_path):
    fill(url)
    back_up(url, tmp_path / "backup")
    with closing(Store(url)) as store:
        append_turn(store, a_turn(RUN, 4))
    before = content(url)

    with pytest.raises(ConflictError, match="is not empty") as caught:
        restore(url, tmp_path / "backup")

    assert "--replace" in caught.value.advice
    assert content(url) == before
    restore(url, tmp_path / "backup", replace=True)
    with closing(Store(url)) as store:
        assert len(store.run(RUN).input_output_pairs) == 3


def test_open_store_continues_after_restore(url, tmp_path):
    fill(url)
    back_up(url, tmp_path / "backup")
    with closing(Store(url)) as store:
        for number in range(4, 14):
            append_turn(store, a_turn(RUN, number))

        restore(url, tmp_path / "backup", replace=True)

        assert store.checkpoint(RUN).turn_number == 3
        append_turn(store, a_turn(RUN, 4))
        assert len(store.run(RUN).input_output_pairs) == 4


@pytest.mark.parametrize("damage", ["cut off", "without its end", "with a row less", "with a strange table"])
def test_incomplete_backup_changes_nothing(url, tmp_path, damage):
    fill(url)
    back_up(url, tmp_path / "backup")
    before = content(url)
    lines = gzip.decompress((tmp_path / "backup").read_bytes()).splitlines(keepends=True)
    if damage == "cut off":
        (tmp_path / "backup").write_bytes((tmp_path / "backup").read_bytes()[:-200])
    elif damage == "without its end":
        (tmp_path / "backup").write_bytes(gzip.compress(b"".join(lines[:-1])))
    elif damage == "with a row less":
        (tmp_path / "backup").write_bytes(gzip.compress(b"".join(lines[:-2] + lines[-1:])))
    else:
        lines[-1:-1] = [b'{"table":"songs","columns":["title"],"binary":[]}\n']
        (tmp_path / "backup").write_bytes(gzip.compress(b"".join(lines)))

    with pytest.raises(InputError, match=r"ends too early|cannot be read"):
        restore(url, tmp_path / "backup", replace=True)

    assert content(url) == before


@pytest.mark.parametrize("columns", [["id", "person"], [*schema.api_keys.columns.keys(), "id"]])
def test_table_with_missing_or_doubled_columns_is_refused(tmp_path, columns):
    header = {"format": "workflow-debugger-backup", "version": 1, "revision": REVISIONS[-1]}
    table = {"table": "api_keys", "columns": columns, "binary": []}
    lines = [header, table, ["1"] * len(columns), {"end": {"api_keys": 1}}]
    (tmp_path / "backup").write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))

    with pytest.raises(InputError, match="cannot be read at line 2: the table api_keys has the columns id,"):
        restore(f"sqlite:///{tmp_path}/debugger.sqlite3", tmp_path / "backup")


def cut_off(file):
    """A backup without its end."""
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    file.write_bytes(gzip.compress(b"".join(lines[:-1])))
    return file


def test_incomplete_backup_leaves_database_of_earlier_revision(two_urls, tmp_path):
    url, older = two_urls
    fill(url)
    back_up(url, tmp_path / "backup")
    with closing(Database(older)) as database, database.changing_tables() as connection:
        upgrade(connection, REVISIONS[0])
        connection.execute(insert(schema.meta).values(key="schema_version", value="2"))
        upgrade(connection, "0014")

    with pytest.raises(InputError, match="ends too early"):
        restore(older, cut_off(tmp_path / "backup"), replace=True)

    with closing(Database(older)) as database, database.reading() as connection:
        assert connection.scalar(select(revisions.c.version_num)) == "0014"


def test_incomplete_backup_makes_no_tables(two_urls, tmp_path):
    url, empty = two_urls
    fill(url)
    back_up(url, tmp_path / "backup")

    with pytest.raises(InputError, match="ends too early"):
        restore(empty, cut_off(tmp_path / "backup"))

    with closing(Database(empty)) as database, database.reading() as connection:
        assert not database.dialect.columns(connection)


@pytest.mark.parametrize(
    "text",
    [b"", b"Dear reader", gzip.compress(b"Dear reader"), gzip.compress(b"{}\n")],
    ids=["empty", "text", "packed text", "other JSON"],
)
def test_a_file_that_is_no_backup_is_refused(tmp_path, text):
    (tmp_path / "letter").write_bytes(text)

    with pytest.raises(InputError, match=r"is not a backup|ends too early"):
        restore(f"sqlite:///{tmp_path}/debugger.sqlite3", tmp_path / "letter")

    assert [path.name for path in tmp_path.iterdir()] == ["letter"]


@pytest.mark.parametrize("newer", [{"version": 2}, {"revision": "9999"}])
def test_a_backup_of_a_newer_program_is_refused(tmp_path, newer):
    header = {"format": "workflow-debugger-backup", "version": 1, "revision": REVISIONS[-1], **newer}
    (tmp_path / "backup").write_bytes(gzip.compress(json.dumps(header).encode()))

    with pytest.raises(StoreError, match="newer version"):
        restore(f"sqlite:///{tmp_path}/debugger.sqlite3", tmp_path / "backup")


def test_restore_reports_missing_file(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        restore(f"sqlite:///{tmp_path}/debugger.sqlite3", tmp_path / "backup")
    Store(f"sqlite:///{tmp_path}/debugger.sqlite3").close()
    with pytest.raises(InputError, match="cannot be written"):
        back_up(f"sqlite:///{tmp_path}/debugger.sqlite3", tmp_path / "no folder" / "backup")


@pytest.mark.parametrize("make", [lambda file: Store(f"sqlite:///{file}").close(), os.mkfifo, os.mkdir])
def test_backup_replaces_no_other_file(tmp_path, make):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"
    Store(url).close()
    make(tmp_path / "other")
    mode, size = (tmp_path / "other").stat().st_mode, (tmp_path / "other").stat().st_size

    with pytest.raises(InputError, match="is not a backup, and was left as it is"):
        back_up(url, tmp_path / "other")

    found = (tmp_path / "other").stat()
    assert (found.st_mode, found.st_size) == (mode, size)


def test_backup_refuses_database_that_is_absent(url, tmp_path):
    with pytest.raises(NotFoundError, match="nothing was backed up"):
        back_up(url, tmp_path / "backup")

    assert not (tmp_path / "backup").exists()


def _columns_of(revision):
    """The columns that there were in a release, by table."""
    with closing(Database("sqlite://")) as database, database.changing_tables() as connection:
        upgrade(connection, revision)
        tables = inspect(connection)
        return {
            name: {column["name"] for column in tables.get_columns(name)} for name in tables.get_table_names()
        }


def _with_columns(lines, known, schema_version):
    """The lines of a backup that has these tables and columns only, and their schema version."""
    places = []
    for line in lines:
        if isinstance(line, list):
            if line == ["schema_version", "4"]:
                yield ["schema_version", schema_version]
            elif places:
                yield [line[place] for place in places]
        elif "end" in line:
            yield {"end": {name: count for name, count in line["end"].items() if name in known}}
        else:
            here = known.get(line["table"], set())
            places = [place for place, name in enumerate(line["columns"]) if name in here]
            names = [line["columns"][place] for place in places]
            if places:
                yield {**line, "columns": names, "binary": [name for name in line["binary"] if name in here]}


@pytest.mark.parametrize("revision", REVISIONS)
def test_restore_migrates_backup_of_earlier_revision(url, tmp_path, revision):
    fill(url)
    back_up(url, tmp_path / "backup")
    header, *rest = map(json.loads, gzip.decompress((tmp_path / "backup").read_bytes()).splitlines())
    schema_version = "2" if revision < "0005" else "3" if revision < "0007" else "4"
    columns = _with_columns(rest, _columns_of(revision), schema_version)
    lines = [{**header, "revision": revision}, *columns]
    (tmp_path / "backup").write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))

    restore(f"sqlite:///{tmp_path}/restored.sqlite3", tmp_path / "backup")

    with closing(Database(f"sqlite:///{tmp_path}/restored.sqlite3")) as database, database.reading() as there:
        assert there.scalar(select(revisions.c.version_num)) == REVISIONS[-1]
    with closing(Store(f"sqlite:///{tmp_path}/restored.sqlite3")) as store:
        assert store.checkpoint(COPY).checkpoint == b"copied"


def test_restore_opens_backup_of_an_earlier_program(url):
    """The file was written by version 1.0, before restores read it once."""
    counts = restore(url, Path(__file__).with_name("revision_0014.backup"))

    assert {name: len(rows) for name, rows in content(url).items()} == {
        **dict.fromkeys(counts, 1),
        **{"meta": 2, "runs": 2, "spoken": 2, "turns": 4, "versions": 2},
        **dict.fromkeys(("scenarios", "replays", "replay_results", "accepted_groups"), 0),
    }
    with closing(Store(url)) as store:
        assert store.checkpoint(COPY).checkpoint == b"copied"
        assert [event["content"] for event in store.pair(RUN, 1).run_output.events] == ["Grün"]
        append_turn(store, a_turn(RUN, 4))


INTERRUPTED = """
import os, signal, sys
from pathlib import Path
from debugger.store import backup

insert = backup._insert

def killed(connection, rows, file):
    insert(connection, rows, file)
    if rows[0].table.name == "turns":
        os.kill(os.getpid(), signal.SIGKILL)

backup._insert = killed
backup.restore(sys.argv[1], Path(sys.argv[2]), replace=True)
"""


def test_killed_restore_changes_nothing(url, tmp_path):
    fill(url)
    back_up(url, tmp_path / "backup")
    with closing(Store(url)) as store:
        append_turn(store, a_turn(RUN, 4))
    before = content(url)

    ended = subprocess.run([sys.executable, "-c", INTERRUPTED, url, str(tmp_path / "backup")], check=False)

    assert ended.returncode == -9
    assert content(url) == before


RESTORES = """
import sys
from pathlib import Path
from debugger.errors import ConflictError, StoreError
from debugger.store import restore

print("ready", flush=True)
input()
try:
    restore(sys.argv[1], Path(sys.argv[2]), replace=sys.argv[3] == "replace")
    print("restored")
except (ConflictError, StoreError) as error:
    print(error)
"""


def begin_restore(url, file, mode):
    command = [sys.executable, "-c", RESTORES, url, str(file), mode]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def told_by(processes):
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    return [process.communicate()[0].strip() for process in processes]


@pytest.mark.parametrize("mode", ["replace", "into an empty one"])
def test_one_of_two_restores_at_once_counts(url, tmp_path, mode):
    contents = []
    for place in ("a", "b"):
        source = f"sqlite:///{tmp_path}/{place}.sqlite3"
        with closing(Store(source)) as store:
            append_turn(store, a_turn(RUN, 1, run_by=place))
            append_turn(store, a_turn(new_id(), 1))
        back_up(source, tmp_path / f"{place}.backup")
        contents.append(content(source))
    if mode == "replace":
        fill(url)
    processes = [begin_restore(url, tmp_path / f"{place}.backup", mode) for place in ("a", "b")]

    told = told_by(processes)

    assert content(url) in contents
    if mode == "replace":
        assert "restored" in told
        assert all(text == "restored" or "is locked" in text for text in told)
    else:
        [refused] = [text for text in told if text != "restored"]
        assert "is not empty" in refused or "is locked" in refused


def test_process_that_runs_during_a_restore_goes_on(url, tmp_path):
    fill(url)
    back_up(url, tmp_path / "backup")
    before = content(url)
    restored, whole, errors = threading.Event(), [], []

    def execute_turns():
        with closing(Store(url)) as store:
            while True:
                was_restored = restored.is_set()
                try:
                    append_turn(store, a_turn(new_id(), 1, run_by="meanwhile"))
                    whole.append(len(store.run(RUN).input_output_pairs) == 3)
                except StoreError as error:
                    errors.append(str(error))
                else:
                    if was_restored:
                        return

    app = threading.Thread(target=execute_turns)
    app.start()
    restore(url, tmp_path / "backup", replace=True)
    restored.set()
    app.join(60)

    after = content(url)
    assert not app.is_alive()
    assert [text for text in errors if "is locked" not in text and "another client" not in text] == []
    assert whole and all(whole)
    assert "meanwhile" in str(after["runs"])
    assert [row for row in after["turns"] if row[1] in (RUN, COPY)] == before["turns"]
    assert after["comments"] == before["comments"]


def test_store_that_is_opened_during_a_restore_waits(url, tmp_path, monkeypatch):
    fill(url)
    back_up(url, tmp_path / "backup")
    before, inside = content(url), threading.Event()

    def interrupt_later(connection):
        inside.set()
        time.sleep(1)  # the time in which the store is opened
        interrupt_all(connection)

    monkeypatch.setattr(debugger.store.backup, "interrupt_all", interrupt_later)
    restoring = threading.Thread(target=restore, args=(url, tmp_path / "backup"), kwargs={"replace": True})
    restoring.start()
    assert inside.wait(30)

    with closing(Store(url)) as store:
        found = len(store.run(RUN).input_output_pairs)

    restoring.join(30)
    assert found == 3
    assert content(url)["turns"] == before["turns"]


MEASURED = """
import resource, sys
from pathlib import Path
from debugger.store import back_up, restore

def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

small, large = Path(sys.argv[3]), Path(sys.argv[4])
back_up(sys.argv[1], small); restore(sys.argv[1], small, replace=True)
before = most()
back_up(sys.argv[2], large); restore(sys.argv[2], large, replace=True)
print(most() - before)
"""


def test_backup_and_restore_use_bounded_memory(url, tmp_path, other_url):
    fill(other_url)
    with closing(Store(url)) as store:
        for number in range(1, 251):
            append_turn(store, a_turn(RUN, number, checkpoint=secrets.token_hex(48_000).encode()))

    told = subprocess.run(
        [sys.executable, "-c", MEASURED, other_url, url, str(tmp_path / "small"), str(tmp_path / "large")],
        capture_output=True,
        text=True,
        check=True,
    )

    assert len(content(url)["turns"]) == 250
    assert int(told.stdout) < 15_000  # kibibytes, of 24 MB
