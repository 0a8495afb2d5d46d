"""Faults during many turns: nothing answered is lost or done twice."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from tests.conformance.graphs import direct, graph, http, static
from tests.conformance.persistence import PATIENCE, Persistence, Reachable
from tests.conformance.served import create, execute, spoken
from tests.conformance.server_process import server_process
from tests.conformance.stored_runs import check_positions, check_stored_turns, read_stored_runs
from tests.conformance.talks import create_talking, play, talks, write_script
from tests.store.own_server import ACCOUNT, OwnServer
from tests.support.http_server import HttpServer
from tests.support.postgres import a_database, a_schema

SESSIONS = 60


@contextmanager
def playing(servers, workflow_id, sessions, clients):
    """Sessions that are played while the block lasts, and to their end."""
    with ThreadPoolExecutor(1) as players:
        played = players.submit(play, servers, workflow_id, sessions, clients.take)
        try:
            yield
        except BaseException:
            clients.give_up()  # what was broken may stay so
            raise
        played.result()


def test_server_killed_repeatedly_continues_its_runs(database, tmp_path):
    sessions, clients = talks(SESSIONS), Persistence()
    with server_process(database, tmp_path / "server", write_script(tmp_path)) as server:
        with server.client() as api:
            workflow_id = create_talking(api)

        with playing([Reachable(server)], workflow_id, sessions, clients):
            for _ in range(3):
                clients.await_turns(SESSIONS)
                server.kill()
                check_positions(database, sessions)
                server.start()

        assert clients.faults["no answer"] >= 3
        check_stored_turns(database, sessions)


@pytest.fixture(scope="module")
def own_postgres():
    server = OwnServer()
    yield server
    server.remove()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_restarted_database_loses_no_turn(own_postgres, mode, tmp_path):
    # 503 where a turn could not begin, 409 where it ran and could not be stored.
    sessions, clients = talks(SESSIONS), Persistence(503, 409)
    database = own_postgres.create(mode)
    with server_process(database, tmp_path / "server", write_script(tmp_path)) as server:
        with server.client() as api:
            workflow_id = create_talking(api)

        with playing([server], workflow_id, sessions, clients):
            for _ in range(2):
                clients.await_turns(SESSIONS)
                own_postgres.stop(mode)
                clients.await_refusals(1)
                own_postgres.start()

    assert set(clients.faults) <= {503, 409}
    check_stored_turns(database, sessions)


def log_of_a_full_disk(disk, database, sessions, folder):
    """Fill a disk under load, free it; return the server's log."""
    # 503 where a turn could not begin, 409 where it ran and could not be stored.
    clients = Persistence(503, 409)
    with server_process(database, folder / "server", write_script(folder)) as server:
        with server.client() as api:
            workflow_id = create_talking(api)

            with playing([server], workflow_id, sessions, clients):
                clients.await_turns(SESSIONS)
                filler = fill_up(disk)
                clients.await_refusals(40)
                check_positions(database, sessions)
                assert api.get("/v1/workflow-runs").status_code == 200
                filler.unlink()

        said = server.log.read_text()
    assert set(clients.faults) <= {503, 409}
    assert "has no space left" in said
    return said


def test_full_disk_refuses_turns_until_space_returns(tmp_path):
    sessions = talks(SESSIONS)
    # The log alone reaches 6 MB where readers hold it back.
    with small_disk(tmp_path / "disk", "16m") as disk:
        database = f"sqlite:///{disk}/runs.sqlite3"
        said = log_of_a_full_disk(disk, database, sessions, tmp_path)
        assert "Free some space on its disk, then try again." in said
        assert "Traceback" not in said
        check_stored_turns(database, sessions)
        with closing(sqlite3.connect(disk / "runs.sqlite3")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_full_disk_of_postgresql_refuses_turns(own_postgres, tmp_path):
    sessions = talks(SESSIONS)
    with small_disk(own_postgres.folder / "disk", "24m", owner=ACCOUNT) as disk:
        database = own_postgres.create("full", on_disk=disk)
        said = log_of_a_full_disk(disk, database, sessions, tmp_path)
        assert "Traceback" not in said
        check_stored_turns(database, sessions)
        own_postgres.drop("full")


def test_clients_of_killed_server_continue_at_the_other(tmp_path):
    sessions, clients = talks(SESSIONS), Persistence(409)
    scripts = write_script(tmp_path)
    with (
        a_database() as name,
        a_schema(name) as database,
        server_process(database, tmp_path / "one", scripts) as one,
        server_process(database, tmp_path / "two", scripts) as two,
    ):
        with one.client() as api:
            workflow_id = create_talking(api)

        with playing([Reachable(one, two), Reachable(two, one)], workflow_id, sessions, clients):
            clients.await_turns(2 * SESSIONS)
            one.kill()

        assert clients.faults["no answer"] >= 1
        check_stored_turns(database, sessions)


def test_shutdown_under_load_answers_every_turn(database, tmp_path):
    sessions, clients = talks(SESSIONS), Persistence()
    with server_process(database, tmp_path / "server", write_script(tmp_path)) as server:
        with server.client() as api:
            workflow_id = create_talking(api)

        with playing([Reachable(server)], workflow_id, sessions, clients):
            clients.await_turns(2 * SESSIONS)
            server.ask_to_end()
            server.await_end()
            await_answers(database, sessions)
            server.start()

        check_stored_turns(database, sessions)


def test_shutdown_answers_the_turn_in_progress(tmp_path):
    began, may_end = threading.Event(), threading.Event()

    def call(handler):
        began.set()
        assert may_end.wait(30)
        handler.send_json({})

    database = f"sqlite:///{tmp_path}/runs.sqlite3"
    with (
        HttpServer(slow=call) as outside,
        server_process(database, tmp_path / "server", write_script(tmp_path)) as server,
        server.client() as api,
        ThreadPoolExecutor(1) as players,
    ):
        workflow_id = create(
            api, graph(http("call", f"{outside.url}/slow"), static("done", "Done"), direct("call", "done"))
        )
        answer = players.submit(execute, api, workflow_id)
        assert began.wait(30)

        server.ask_to_end()
        server.await_deafness()
        may_end.set()

        assert spoken(answer.result().json()) == ["Done"]
        server.await_end()
        (run,) = read_stored_runs(database).values()
        assert (run.status, run.numbers) == ("completed", [1])


@contextmanager
def small_disk(folder, size, owner=None):
    """A disk with little room."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    mounted = shutil.which("mount") and subprocess.run(command, capture_output=True).returncode == 0
    if not mounted:
        assert os.environ.get("CI") != "true", "no file system can be mounted here"
        pytest.skip("no file system can be mounted here")
    try:
        if owner:
            shutil.chown(folder, owner)
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def await_answers(database, sessions):
    """Wait until every response in flight has arrived."""
    deadline = time.monotonic() + PATIENCE
    while sum(run.turn_count for run in read_stored_runs(database).values()) != sum(
        len(talk.answers) for talk in sessions
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def fill_up(disk):
    """Fill a disk; return the file that fills it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as out:
        try:
            while True:
                out.write(bytes(4096))
        except OSError:
            return filler
