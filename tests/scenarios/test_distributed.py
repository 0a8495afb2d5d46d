"""Suites on clusters of real worker processes and a PostgreSQL store."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from contextlib import closing, contextmanager
from itertools import chain, repeat

import pytest
from distributed import Client, LocalCluster
from typer.testing import CliRunner

from debugger.cli import main
from debugger.scenarios import distributed
from debugger.scenarios.connections import Connections
from debugger.scenarios.distributed import DistributedExecution, worker_settings
from debugger.scenarios.history import SuiteHistory
from debugger.scenarios.suite import load_cases
from debugger.settings import Settings
from debugger.store import Store
from tests.support.factories import direct, document, node, static
from tests.support.http_server import HttpServer
from tests.support.postgres import a_database, a_schema

PASSWORD = "hunter2"
HEAD = "version: 1\nworkflow: hello.json\n"


@pytest.fixture(scope="module")
def postgres():
    with a_database() as name:
        yield name


@pytest.fixture
def url(postgres):
    """The URL of an empty database; the server lets any password in."""
    with a_schema(postgres) as made:
        yield made.replace("postgres@", f"postgres:{PASSWORD}@")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a workflow that says hello to everybody."""
    workflow = document(static("hello", "Hello, Ada."), name="Hello", logical_id="hello")
    (tmp_path / "hello.json").write_text(json.dumps(workflow))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@contextmanager
def cluster(url, workers):
    """Worker processes with one thread each that know the database by their environment."""
    with LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        env={"WORKFLOW_DEBUGGER_DATABASE": url},
    ) as made:
        yield made


@pytest.fixture
def here(url, monkeypatch):
    """A cluster of one worker in this process."""
    monkeypatch.setenv("WORKFLOW_DEBUGGER_DATABASE", url)
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as made:
        yield made


def run_on(made, url, *arguments):
    address = made.scheduler_address
    return CliRunner().invoke(main, ["test", ".", "--database", url, "--distributed", address, *arguments])


def scenario(folder, name, rows, says="Hello", more=""):
    words = ", ".join(f"{{word: w{number}}}" for number in range(rows))
    text = f"{HEAD}name: {name}\nrows: [{words}]\n{more}turns:\n  - expect: [{{says: '{says}'}}]\n"
    (folder / f"{name.lower()}.scenario.yaml").write_text(text)


def report(folder, *arguments, database):
    """Run the command; return its exit code, and the report without times and the ids of runs."""
    file = folder / "report.json"
    done = CliRunner().invoke(
        main, ["test", ".", "--database", database, "--json", str(file), *map(str, arguments)]
    )
    assert file.exists(), done.output
    return done.exit_code, without_runs(json.loads(file.read_bytes()))


def without_runs(value):
    if isinstance(value, dict):
        changing = ("id", "run", "run_id", "seconds", "started_at", "url", "link")
        return {key: without_runs(inner) for key, inner in value.items() if key not in changing}
    return [without_runs(inner) for inner in value] if isinstance(value, list) else value


def test_worker_calls_nothing_on_its_own(folder, here, url, monkeypatch):
    scenario(folder, "Slots", 1, more="calls: {read: live}\n")
    with HttpServer() as server:
        ask = node("ask", "http_request", url=f"{server.url}/slots")
        workflow = document(static("hello", "Hello, Ada."), ask, direct("hello", "ask"), logical_id="hello")
        (folder / "hello.json").write_text(json.dumps(workflow))

        sent = run_on(here, url).exit_code, len(server.received)
        scenario(folder, "Slots", 1)
        default = run_on(here, url).exit_code, len(server.received)
        asked = run_on(here, url, "--live", "read").exit_code, len(server.received)

    assert (sent, default, asked) == ((0, 1), (0, 1), (0, 2))


def test_settings_of_worker_can_only_forbid_more():
    own = Settings(database="postgresql://own", outbound_read="blocked", outbound_talk="live", tool_timeout=5)
    command = Settings(outbound_write="live", outbound_read="live", outbound_talk="simulated", tool_timeout=9)

    merged = worker_settings(own, command.model_dump(exclude={"database"}, exclude_unset=True))

    assert (merged.database, merged.tool_timeout) == ("postgresql://own", 9)
    assert (merged.outbound_read, merged.outbound_write) == ("blocked", "live")
    assert (merged.outbound_talk, merged.outbound_contact) == ("simulated", "blocked")
    assert "outbound_contact" not in merged.model_fields_set


def test_two_workers_make_the_local_report(folder, url):
    scenario(folder, "Good", 8)
    scenario(folder, "Bad", 2, "w{{word}}")

    with cluster(url, 2) as made, Client(made, set_as_default=False) as client:
        there = report(folder, "--distributed", made.scheduler_address, database=url)
        seen = [*client.get_scheduler_logs(), *client.get_worker_logs().values()]
        assert PASSWORD not in repr(seen)
    with closing(Store(url)) as store:
        [suite] = store.suites.newest()
        runs = {each.run_id for result in store.suites.results(suite.id) for each in result.repetitions}

    local = report(folder, database=f"sqlite:///{folder}/local.sqlite3")
    assert there == local
    assert there[0] == 1
    assert (suite.is_complete, suite.counts) == (True, {"passed": 8, "failed": 2})
    assert len(runs) == 10


def test_other_database_of_worker_is_rejected(folder, url, postgres):
    scenario(folder, "Good", 1)

    with a_schema(postgres) as other, cluster(other, 1) as made:
        done = CliRunner().invoke(
            main, ["test", ".", "--database", url, "--distributed", made.scheduler_address]
        )

    assert (done.exit_code, done.stdout) == (2, "")
    assert "127.0.0.1" in done.stderr
    assert "uses another database than this command." in done.stderr
    with closing(Store(url)) as store:
        assert store.suites.newest() == []


def test_unreachable_scheduler_is_rejected(folder, url, monkeypatch):
    monkeypatch.setattr(distributed, "CONNECT_SECONDS", 1)
    scenario(folder, "Good", 1)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        done = CliRunner().invoke(main, ["test", ".", "--database", url, "--distributed", address])

    assert (done.exit_code, done.stdout) == (2, "")
    assert f"No Dask scheduler answers at '{address}'." in done.stderr
    with closing(Store(url)) as store:
        assert store.suites.newest() == []


def test_other_version_of_worker_is_rejected(folder, url, here, monkeypatch):
    scenario(folder, "Good", 1)
    versions = chain(["1.0"], repeat("2.0"))  # the command's, then that of the worker in this process
    monkeypatch.setattr(distributed, "program_version", lambda: next(versions))

    done = run_on(here, url)

    assert (done.exit_code, done.stdout) == (2, "")
    assert "has version '2.0', this command '1.0'." in done.stderr
    with closing(Store(url)) as store:
        assert store.suites.newest() == []


def test_lost_scheduler_stores_the_end(folder, url, here, monkeypatch):
    scenario(folder, "Good", 3)
    store_result = SuiteHistory.record

    def record(*args):
        store_result(*args)
        here.close()

    monkeypatch.setattr(SuiteHistory, "record", record)

    done = run_on(here, url)

    assert done.exit_code == 3, done.output
    assert "Results so far are stored: continue with --resume." in done.stderr
    with closing(Store(url)) as store:
        [suite] = store.suites.newest()
    assert (suite.ended_at is None, suite.is_complete, suite.counts) == (False, False, {"passed": 1})


def test_cancelled_suite_keeps_what_was_run(folder, url, here):
    scenario(folder, "Slow", 3, more="mocks: [{node: hello, delay_seconds: 0.5}]\n")
    cases, settings, cancelled = load_cases([folder]), Settings(database=url), threading.Event()

    with closing(Connections(settings)) as connections:
        history = SuiteHistory(connections.embedded.store.suites, cases)
        history.begin("Ada")
        execution = DistributedExecution(here.scheduler_address, settings, history)
        for _ in execution.run(cases, cancelled):
            cancelled.set()
        [suite] = connections.embedded.store.suites.newest()

    assert suite.counts == {"passed": 1}


def test_bail_stops_at_first_failure(folder, url, here):
    scenario(folder, "Bad", 3, "Bye")

    done = run_on(here, url, "--bail")

    assert done.exit_code == 1
    assert "1 failed (1 new), 2 not run (--bail) in" in done.stdout


@pytest.mark.campaign
def test_killed_worker_loses_and_repeats_nothing(folder, url):
    scenario(folder, "Slow", 24, more="mocks: [{node: hello, delay_seconds: 0.5}]\n")
    scenario(folder, "Bad", 6, "Bye")
    cases = load_cases([folder])
    settings = Settings(database=url)
    counts = {case.id: 0 for case in cases}
    killed = []

    with (
        cluster(url, 4) as made,
        Client(made, set_as_default=False) as client,
        closing(Connections(settings)) as connections,
    ):
        history = SuiteHistory(connections.embedded.store.suites, cases)
        history.begin("Ada")
        for case, result in DistributedExecution(made.scheduler_address, settings, history).run(
            cases, threading.Event()
        ):
            counts[case.id] += 1
            assert result.outcome == ("failed" if case.scenario.name == "Bad" else "passed")
            if sum(counts.values()) == 10:
                busy = next(worker for worker, keys in client.processing().items() if keys)
                assert PASSWORD.encode() not in b"".join(made.scheduler.worker_plugins.values())
                killed = client.processing()[busy]
                os.kill(client.run(os.getpid, workers=[busy])[busy], signal.SIGKILL)
        history.end(is_complete=True)
        [suite] = connections.embedded.store.suites.newest()

    assert killed
    assert set(counts.values()) == {1}
    assert suite.counts == {"passed": 24, "failed": 6}
