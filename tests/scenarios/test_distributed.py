"""Suites on clusters of real worker processes and a PostgreSQL store."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from contextlib import closing, contextmanager

import pytest
from distributed import Client, LocalCluster
from typer.testing import CliRunner

from debugger.cli import main
from debugger.scenarios.connections import Connections
from debugger.scenarios.distributed import DistributedExecution
from debugger.scenarios.history import SuiteHistory
from debugger.scenarios.suite import load_cases
from debugger.settings import Settings
from debugger.store import Store
from tests.support.factories import document, static
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


def test_two_workers_make_the_local_report(folder, url):
    scenario(folder, "Good", 8)
    scenario(folder, "Bad", 2, "w{{word}}")

    with cluster(url, 2) as made, Client(made, set_as_default=False) as client:
        distributed = report(folder, "--distributed", made.scheduler_address, database=url)
        seen = [*client.get_scheduler_logs(), *client.get_worker_logs().values()]
        assert PASSWORD not in repr(seen)
    with closing(Store(url)) as store:
        [suite] = store.suites.newest()
        runs = {each.run_id for result in store.suites.results(suite.id) for each in result.repetitions}

    local = report(folder, database=f"sqlite:///{folder}/local.sqlite3")
    assert distributed == local
    assert distributed[0] == 1
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


def test_unreachable_scheduler_is_rejected(folder, url):
    scenario(folder, "Good", 1)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        done = CliRunner().invoke(main, ["test", ".", "--database", url, "--distributed", address])

    assert (done.exit_code, done.stdout) == (2, "")
    assert f"No Dask scheduler answers at '{address}'." in done.stderr
    with closing(Store(url)) as store:
        assert store.suites.newest() == []


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
