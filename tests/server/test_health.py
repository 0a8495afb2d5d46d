from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.tools.sandbox import python_status
from debugger.server.health import DAMAGED, FILE_GONE, NO_ANSWER, OTHER_TABLES, UNUSABLE, Readiness
from debugger.settings import Settings
from debugger.store import Store, new_id
from tests.support.damage import damage, leaf_pages
from tests.support.factories import document, say
from tests.support.postgres import a_database
from tests.support.turns import a_turn, append_turn


@pytest.fixture
def backend(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/ready.sqlite3"))
    yield backend
    backend.close()


def change(tmp_path, statement):
    with closing(sqlite3.connect(tmp_path / "ready.sqlite3", isolation_level=None)) as connection:
        connection.execute(statement)


def ready(client):
    return client.get(client.base_url.join("/readyz"))


def test_readyz_needs_no_key(serve, backend):
    answer = ready(serve(backend, api_key="sk-right"))

    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "python": "sandboxed"}


@pytest.mark.parametrize(("setting", "mode"), [("off", "refused"), ("unsafe", "unsafe")])
def test_readyz_names_the_mode_of_python(serve, tmp_path, setting, mode):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/mode.sqlite3", inline_python=setting))
    try:
        answer = ready(serve(backend)).json()
    finally:
        backend.close()

    assert answer == {"status": "ready", "python": mode, "python_reason": python_status(setting).reason}


def test_readyz_reports_tables_of_another_version(serve, backend, tmp_path):
    client = serve(backend)
    change(tmp_path, "UPDATE alembic_version SET version_num = '9999'")

    answer = ready(client)

    assert (answer.status_code, answer.json()) == (503, {"detail": OTHER_TABLES})


def test_readyz_leaves_store_error_to_log(serve, backend, tmp_path, caplog):
    client = serve(backend)
    change(tmp_path, "DROP TABLE alembic_version")

    answer = ready(client)

    assert (answer.status_code, answer.json()) == (503, {"detail": UNUSABLE})
    assert str(tmp_path) in caplog.text


def replace(file):
    other = file.with_name("other.sqlite3")
    Store(f"sqlite:///{other}").close()
    other.replace(file)


@pytest.mark.parametrize("change", [Path.unlink, replace])
def test_readyz_reports_file_that_is_gone(serve, backend, tmp_path, caplog, change):
    client, workflow_id = serve(backend), backend.create_workflow(document(say("chat"))).id
    before = ready(client).status_code
    change(tmp_path / "ready.sqlite3")

    answer = ready(client)
    turn = client.post(f"/v1/workflows/{workflow_id}/execute", json={"run_input": {"command": "start"}})

    assert (before, answer.status_code, answer.json()) == (200, 503, {"detail": FILE_GONE})
    assert str(tmp_path) in caplog.text
    assert turn.status_code == 503


def test_readyz_reports_damage_once_it_was_read(serve, tmp_path, caplog):
    file, run_ids = tmp_path / "ready.sqlite3", [new_id() for _ in range(200)]
    with closing(Store(f"sqlite:///{file}")) as store:
        for run_id in run_ids:
            append_turn(store, a_turn(run_id, 1, checkpoint=run_id.encode() * 20))
    damage(file, leaf_pages(file, "turns")[1])
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{file}"))
    try:
        client = serve(backend)
        before = ready(client)
        answers = [client.get(f"/v1/workflow-runs/{run_id}") for run_id in run_ids]
        after = ready(client)
    finally:
        backend.close()

    damaged = [answer for answer in answers if answer.status_code == 503]
    assert before.status_code == 200
    assert 0 < len(damaged) < len(answers)
    assert f"{file} has a damaged page" in caplog.text
    assert (after.status_code, after.json()) == (503, {"detail": DAMAGED})


def test_readyz_waits_briefly_for_silent_database():
    with a_database() as name:
        url = f"postgresql://postgres@127.0.0.1:5432/{name}"
        backend = EmbeddedBackend(Settings(database=url))
        readiness = Readiness(backend, timeout_seconds=0.1)

        async def ask_twice_and_later(locked):
            begun = time.monotonic()
            during = [await readiness.problem(), await readiness.problem()]
            seconds = time.monotonic() - begun
            locked.rollback()
            while (after := await readiness.problem()) == NO_ANSWER:
                pass
            return during, seconds, after

        with psycopg.connect(f"host=127.0.0.1 user=postgres dbname={name}") as locked:
            locked.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
            during, seconds, after = asyncio.run(ask_twice_and_later(locked))
        backend.close()

    assert during == [NO_ANSWER, NO_ANSWER]
    assert seconds < 2
    assert after is None
