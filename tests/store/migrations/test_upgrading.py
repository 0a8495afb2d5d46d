from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, func, insert, inspect, select, text

from debugger.errors import StoreError
from debugger.protocol.runs import ForkRecord
from debugger.store import CarriedUsage, RunFork, Store, TurnClaim, new_id, restore
from debugger.store.database import Database
from debugger.store.migrations import REVISIONS
from debugger.store.migrations.upgrading import FOLDER, upgrade
from debugger.store.schema import metadata, revisions

RUN = "665f0c2b9a3e4d5f6a7b8c90"
TEA = "6b06b74837aa64951f0110ab"
SAID = b'[{"type":"assistant_response","content":"Which tea?"}]'

FIRST_ROWS = {
    "meta": [
        {"key": "schema_version", "value": "2"},
        {"key": "workflows_created", "value": "yes"},
    ],
    "workflows": [
        {"id": TEA, "name": "Tea", "active_version_number": 0, "created_at": 1.0, "updated_at": 1.0}
    ],
    "versions": [
        {
            "workflow_id": TEA,
            "version_number": 0,
            "version_name": "Initial Version",
            "created_at": 1.0,
            "updated_at": 1.0,
            "document": '{"name": "Tea"}',
        }
    ],
    "runs": [
        {
            "id": RUN,
            "workflow_id": TEA,
            "version_number": 0,
            "status": "completed",
            "turn_count": 1,
            "created_at": 2.0,
            "updated_at": 3.0,
        }
    ],
    "turns": [
        {
            "id": 1,
            "run_id": RUN,
            "turn_number": 1,
            "status": "completed",
            "started_at": 2.0,
            "finished_at": 3.0,
            "checkpoint": b"{}",
            "events": SAID,
        }
    ],
    "forks": [
        {
            "run_id": RUN,
            "source_run_id": "elsewhere",
            "turn_number": 1,
            "way": "rebuilt",
            "note": "why",
            "forked_by": "ada",
            "created_at": 2.0,
            "changes": b"[]",
        }
    ],
    "run_marks": [{"run_id": RUN, "starred": True, "note": "asks twice"}],
    "run_tags": [{"run_id": RUN, "tag": "smoke"}],
    "comments": [
        {
            "logical_id": "comment_1",
            "run_id": RUN,
            "target_kind": "run",
            "target_key": "",
            "author": "Ada",
            "content": "Fine.",
            "created_at": 4.0,
        }
    ],
    "ratings": [
        {
            "run_id": RUN,
            "target_kind": "run",
            "target_key": "",
            "author": "Ada",
            "value": "up",
            "created_at": 4.0,
        }
    ],
    "presets": [{"workflow_id": TEA, "name": "Known caller", "updated_at": 4.0, "run_input": b"{}"}],
    "kits": [{"run_id": RUN, "kit": b"{}"}],
    "unfinished_turns": [
        {
            "run_id": "665f0c2b9a3e4d5f6a7b8c91",
            "workflow_id": TEA,
            "version_number": 0,
            "began_at": 5.0,
            "input_json": b"{}",
            "events_json": b"[]",
        }
    ],
    "spoken": [{"run_id": RUN, "turn_count": 1, "text": "which tea?"}],
}
"""A row, as the first release wrote it, for every table that it had."""

NEXT = """
from alembic import op
from sqlalchemy import Column, Integer, Text, text

revision = "next"
down_revision = "{newest}"


def upgrade():
    with op.batch_alter_table("runs") as runs:
        runs.alter_column("workflow_name", existing_type=Text(), nullable=False, server_default="?")
        runs.add_column(Column("stars", Integer(), nullable=False, server_default="5"))
    op.create_table("teams", Column("id", Text(), primary_key=True))
    {last}
"""


def release(connection, stamped=True):
    """The database of somebody who has used the first release."""
    upgrade(connection, REVISIONS[0])
    tables = MetaData()
    tables.reflect(connection)
    for table in tables.sorted_tables:
        for row in FIRST_ROWS.get(table.name, []):
            connection.execute(insert(table).values(row))
    if not stamped:
        connection.execute(text("DROP TABLE alembic_version"))


def next_release(tmp_path, last="pass"):
    """The migrations with one more, that changes a table which others refer to."""
    folder = tmp_path / "migrations"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "next.py").write_text(NEXT.format(newest=REVISIONS[-1], last=last))
    return folder


def counts(connection):
    """Count the rows of each table of the first release."""
    return {
        name: connection.scalar(select(func.count()).select_from(metadata.tables[name]))
        for name in FIRST_ROWS
    }


def test_every_migration_is_named_in_order():
    found = [script.revision for script in ScriptDirectory(str(FOLDER)).walk_revisions()]

    assert tuple(reversed(found)) == REVISIONS


def test_migrations_create_present_tables(url):
    with closing(Database(url)) as database, database.changing_tables() as connection:
        for revision in REVISIONS:
            upgrade(connection, revision)
            assert connection.scalar(select(revisions.c.version_num)) == revision

        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_new_database_has_what_the_migrations_make(url):
    Store(url).close()

    with closing(Database(url)) as database, database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert connection.scalar(select(revisions.c.version_num)) == REVISIONS[-1]


@pytest.mark.parametrize("stamped", [True, False])
def test_upgrade_keeps_first_release_rows(url, stamped):
    with closing(Database(url)) as database, database.changing_tables() as connection:
        release(connection, stamped)
        before = counts(connection)

    with closing(Store(url)) as store:
        [workflow], _ = store.workflows()
        run, notes = store.run(RUN), store.notes.of(RUN)
        fork, [preset] = store.forks.of(RUN), store.notes.presets(TEA)
        [unfinished] = store.notes.read_unfinished_turns()

    with closing(Database(url)) as database, database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert connection.scalar(select(revisions.c.version_num)) == REVISIONS[-1]
        assert counts(connection) == before
    assert set(before.values()) == {1, 2}
    assert (workflow.name, run.input_output_pairs[0].run_output.events[0]["content"]) == ("Tea", "Which tea?")
    assert (notes.starred, notes.tags, notes.note) == (True, ["smoke"], "asks twice")
    assert (notes.comments[0].content, notes.ratings[0].value) == ("Fine.", "up")
    assert (fork.note, preset.name, unfinished.began_at) == ("why", "Known caller", 5.0)


def test_upgrade_reads_first_release_file(tmp_path):
    file = tmp_path / "debugger.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        database.executescript(Path(__file__).with_name("first_release.sql").read_text())

    with closing(Store(f"sqlite:///{file}")) as store:
        [workflow], _ = store.workflows()
        [run], *_ = store.runs()
        notes = store.notes.of(run.workflow_run_id)

    with closing(Database(f"sqlite:///{file}")) as database, database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    assert (workflow.name, notes.starred, notes.comments[0].content) == ("Tea", True, "Fine.")


def test_upgrade_leaves_old_copies_without_carried_usage(url):
    with closing(Database(url)) as database, database.changing_tables() as connection:
        release(connection)
        database.dialect.reset_numbering(connection)
        connection.execute(text("UPDATE runs SET source_workflow_run_id = 'gone'"))
    usage = CarriedUsage(token_usage_json=b'{"call_count":1}', latency_stats_json=b"{}", has_calls=True)
    record = ForkRecord(run_id=new_id(), source_run_id=RUN, turn_number=2, created_at=6.0)

    with closing(Store(url)) as store:
        store.forks.create(
            RunFork(
                record=record,
                pair_count=1,
                checkpoint=b"{}",
                status="waiting_for_user_input",
                version_number=0,
                version_name=None,
                usage=usage,
            )
        )
        older, newer = store.run(RUN), store.run(record.run_id)

    assert older.carried_over_llm_token_usage is older.carried_over_llm_latency_stats is None
    assert newer.carried_over_llm_token_usage == {"call_count": 1}
    assert newer.carried_over_llm_latency_stats == {}


def test_migration_of_referenced_table_loses_nothing(url, tmp_path):
    folder = next_release(tmp_path)
    with closing(Database(url)) as database:
        with database.changing_tables() as connection:
            release(connection)
            connection.execute(text("UPDATE runs SET workflow_name = 'Tea'"))
            before = counts(connection)

        with database.changing_tables() as connection:
            upgrade(connection, "next", folder)

        with database.reading() as connection:
            assert counts(connection) == before
            assert connection.scalar(text("SELECT stars FROM runs")) == 5
            assert connection.scalar(select(revisions.c.version_num)) == "next"
            keys = inspect(connection).get_foreign_keys("turns")
    assert [key["referred_table"] for key in keys] == ["runs"]


def test_failed_migration_changes_nothing(url, tmp_path):
    folder = next_release(tmp_path, last="raise RuntimeError('half way')")
    with closing(Database(url)) as database:
        with database.changing_tables() as connection:
            release(connection)
            connection.execute(text("UPDATE runs SET workflow_name = 'Tea'"))

        with pytest.raises(RuntimeError, match="half way"), database.changing_tables() as connection:
            upgrade(connection, "next", folder)

        with database.reading() as connection:
            tables, columns = inspect(connection).get_table_names(), inspect(connection).get_columns("runs")
    assert "teams" not in tables
    assert "stars" not in {column["name"] for column in columns}
    with closing(Store(url)) as store:
        assert store.run(RUN).status == "completed"


def test_migration_with_lost_references_rolls_back(tmp_path):
    with closing(Database(f"sqlite:///{tmp_path}/debugger.sqlite3")) as database:
        with database.changing_tables() as connection:
            release(connection)

        with (
            pytest.raises(StoreError, match="1 rows would refer to nothing"),
            database.changing_tables() as connection,
        ):
            connection.execute(text("DELETE FROM runs"))

        with database.reading() as connection:
            assert connection.scalar(text("SELECT count(*) FROM runs")) == 1
            assert connection.scalar(text("PRAGMA foreign_keys")) == 1


def test_unknown_revision_is_rejected(url):
    Store(url).close()
    with closing(Database(url)) as database, database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StoreError, match="revision 9999, newer than") as caught:
        Store(url)

    assert "newest version" in caught.value.advice


def test_present_database_opens_without_alembic(url):
    Store(url).close()
    program = (
        "import sys\nfrom debugger.store import Store\nStore(sys.argv[1])\nprint('alembic' in sys.modules)"
    )

    told = subprocess.run([sys.executable, "-c", program, url], capture_output=True, text=True)

    assert told.stdout == "False\n"


def test_upgraded_turns_are_finished_and_take_claims(url):
    with closing(Database(url)) as database, database.changing_tables() as connection:
        release(connection)
        database.dialect.reset_numbering(connection)

    with closing(Store(url)) as store:
        before, lapsed = store.claims.position(RUN), store.claims.interrupt_expired()
        claim = TurnClaim(
            run_id=RUN,
            turn_number=2,
            workflow_id=TEA,
            version_number=0,
            begins_run=False,
            run_status="running",
            started_at=6.0,
            owner="elsewhere",
            lease_seconds=0.0,
            pair=b'{"run_input":{}}',
            client_turn_id="c1",
            user_turn_number=2,
        )
        store.claims.take(claim)
        during = store.run(RUN)
        store.claims.interrupt_expired()
        after = store.run(RUN)

    with closing(Database(url)) as database, database.reading() as connection:
        assert connection.scalar(text("SELECT value FROM meta WHERE key = 'schema_version'")) == "4"
    assert (before.status, before.turn_count, before.claimed, lapsed) == ("completed", 1, None, 0)
    assert [pair.is_in_progress for pair in during.input_output_pairs] == [False, True]
    assert (after.status, len(after.input_output_pairs)) == ("completed", 1)


@pytest.mark.parametrize(("owner", "lapsed"), [("another-boot/1/2/3", 0), ("ended", 1)])
def test_upgraded_turn_in_progress_is_its_owners(url, owner, lapsed):
    """The owner is a program of revision 0010 that executes the turn still, or has ended."""
    if owner == "ended":
        program = "from debugger.store import current_owner\nprint(current_owner())"
        owner = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout.strip()
    until = "UPDATE turns SET lease_until = :until WHERE claim_id = 'claim'"
    with closing(Database(url)) as database:
        with database.changing_tables() as connection:
            release(connection)
            upgrade(connection, "0010")
            connection.execute(text("UPDATE runs SET status = 'running', turn_count = 0"))
            claimed = "UPDATE turns SET status = 'started', claim_id = 'claim', owner = :owner, pair = :pair"
            pair = b'{"run_input":{}}'
            connection.execute(text(claimed), {"owner": owner, "pair": pair})
            connection.execute(text(until), {"until": time.time() + 600})

        with closing(Store(url)) as store:
            with database.writing() as connection:
                connection.execute(text(until), {"until": time.time() + 900})  # renewed
            during = store.claims.position(RUN).claimed

            assert (during.claim_id, during.lease_seconds) == ("claim", 10_800)
            assert store.claims.interrupt_expired() == lapsed
            assert store.run(RUN).status == ("failed" if lapsed else "running")


def test_program_of_before_refuses_a_database_with_claims(url, monkeypatch):
    Store(url).close()
    monkeypatch.setattr("debugger.store.schema_setup.SCHEMA_VERSION", 3)

    with pytest.raises(StoreError, match="schema version 4, newer than the 3"):
        Store(url)


def test_upgrade_converts_every_earlier_compression(tmp_path):
    """The file was written by the code of revision 0006; one turn by the code before it, with zlib."""
    file = tmp_path / "debugger.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        database.executescript(Path(__file__).with_name("revision_0006.sql").read_text())

    with closing(Store(f"sqlite:///{file}")) as store:
        run = store.run(RUN)
        checkpoints = [json.loads(store.checkpoint(RUN, number).checkpoint) for number in (1, 2, 3)]
        [unfinished] = store.notes.read_unfinished_turns()
        [busy] = store.run("665f0c2b9a3e4d5f6a7b8c91").input_output_pairs

    with closing(sqlite3.connect(file)) as database:
        stored = database.execute(
            "SELECT events FROM turns UNION ALL SELECT checkpoint FROM turns "
            "UNION ALL SELECT events_json FROM unfinished_turns"
        ).fetchall()
    assert {value[:1] for (value,) in stored} == {b"\x28", b"{", b""}
    assert [said(pair.run_output.events) for pair in run.input_output_pairs] == [
        [f"Turn {number}: which tea, cup {cup}?" for cup in range(cups)]
        for number, cups in ((1, 8), (2, 20), (3, 300))
    ]
    assert [state["turn"] for state in checkpoints] == [1, 2, 3]
    assert checkpoints[2]["variables"] == {"order": ["green tea"] * 60}
    assert said(json.loads(unfinished.events_json))[-1] == "Turn 4: which tea, cup 11?"
    assert said(busy.run_output.events)[-1] == "Turn 1: which tea, cup 9?"


def test_restore_converts_earlier_compression(url):
    """The backup was written by the code of revision 0006."""
    restore(url, Path(__file__).with_name("revision_0006.backup"))

    with closing(Store(url)) as store:
        run, state = store.run(RUN), json.loads(store.checkpoint(RUN).checkpoint)
    assert said(run.input_output_pairs[2].run_output.events)[-1] == "Turn 3: which tea, cup 299?"
    assert state["variables"] == {"order": ["green tea"] * 60}


def test_upgrade_leaves_damaged_value_unreadable(tmp_path):
    file = tmp_path / "debugger.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        database.executescript(Path(__file__).with_name("revision_0006.sql").read_text())
        database.execute("UPDATE turns SET events = CAST(events || x'00' AS BLOB) WHERE turn_number = 3")
        database.commit()

    with closing(Store(f"sqlite:///{file}")) as store:
        assert len(store.pair(RUN, 2).run_output.events) == 20
        with pytest.raises(StoreError, match="record of turn 3"):
            store.pair(RUN, 3)


def said(events):
    return [event["content"] for event in events]
