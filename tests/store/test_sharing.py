"""Several processes on one database."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import psycopg
import pytest
from sqlalchemy import func, select

from debugger.errors import ConflictError, StoreDisconnectedError
from debugger.store import Store, new_id
from debugger.store.database import Database
from debugger.store.schema import runs, turns
from tests.support.turns import a_turn, append_turn

SERVER = """
import sys
from debugger.errors import ConflictError, StoreDisconnectedError
from debugger.store import Store
from tests.support.turns import WholeTurn, append_turn

store = Store(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    run_id, number = line.split()
    number = int(number)
    stands_at = store.checkpoint(run_id).turn_number if number > 1 else 0
    events = b'[{"type":"assistant_response","content":"%s"}]' % sys.argv[2].encode()
    try:
        append_turn(store, WholeTurn(
            run_id=run_id, turn_number=number, status="waiting_for_user_input", checkpoint=b"%d" % number,
            started_at=float(number), finished_at=float(number), workflow_id="w", version_number=0,
            events_json=events,
        ))
        print("kept", stands_at, flush=True)
    except ConflictError:
        print("conflict", stands_at, flush=True)
"""


class Server:
    """A process that keeps turns in a database, one for each line that it is given."""

    def __init__(self, url, name):
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER, url, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout.readline() == "ready\n"

    def ask(self, run_id, number):
        self._process.stdin.write(f"{run_id} {number}\n")
        self._process.stdin.flush()

    def answer(self):
        word, stood_at = self._process.stdout.readline().split()
        return word, int(stood_at)

    def close(self):
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


def numbers(url, run_id):
    """The numbers of a run's turns as they stand in the database, and the count in its row."""
    with closing(Database(url)) as database, database.reading() as connection:
        found = connection.scalars(select(turns.c.turn_number).where(turns.c.run_id == run_id))
        count = connection.scalar(select(runs.c.turn_count).where(runs.c.id == run_id))
        return sorted(found), count


def spoken_in(url, run_id):
    with closing(Store(url)) as store:
        return [pair.run_output.events[0]["content"] for pair in store.run(run_id).input_output_pairs]


def test_two_processes_serve_one_run_in_turn(url):
    run_id = new_id()
    with closing(Server(url, "first")) as first, closing(Server(url, "second")) as second:
        answers = []
        for number in range(1, 21):
            server = first if number % 2 else second
            server.ask(run_id, number)
            answers.append(server.answer())

    assert answers == [("kept", number) for number in range(20)]
    assert spoken_in(url, run_id) == ["first", "second"] * 10


def test_same_turn_of_two_processes_conflicts(url):
    run_id = new_id()
    answers = []
    with closing(Server(url, "first")) as first, closing(Server(url, "second")) as second:
        for number in range(1, 51):
            first.ask(run_id, number)
            second.ask(run_id, number)
            answers.append([first.answer()[0], second.answer()[0]])

    assert [sorted(pair) for pair in answers] == [["conflict", "kept"]] * 50
    winners = ["first" if pair[0] == "kept" else "second" for pair in answers]
    assert spoken_in(url, run_id) == winners
    assert numbers(url, run_id) == (list(range(1, 51)), 50)


def test_concurrent_versions_have_own_numbers(url):
    with closing(Store(url)) as first, closing(Store(url)) as second:
        workflow_id = first.create_workflow({"name": "Tea"}).id

        def make(store):
            return [store.create_version(workflow_id).version_number for _ in range(20)]

        with ThreadPoolExecutor(2) as threads:
            ours, theirs = threads.map(make, [first, second])

        assert sorted(ours + theirs) == list(range(1, 41))


def test_concurrent_new_tags_are_all_kept(url):
    with closing(Store(url)) as first, closing(Store(url)) as second:
        barrier = threading.Barrier(2, timeout=20)

        def add(store, name):
            for number in range(20):
                barrier.wait()
                store.notes.change_tags(["run"], [f"{name}{number:02}", "both"], [])

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(add, [first, second], ["a", "b"]))

        names = [f"{name}{number:02}" for name in "ab" for number in range(20)]
        assert first.notes.of("run").tags == [*names, "both"]


def test_ended_connections_lose_no_turn(postgres, postgres_url):
    run_ids = [new_id() for _ in range(12)]
    answered = threading.Semaphore(0)
    over = threading.Event()
    ended = 0

    def end_connections():
        """End two connections for each answered turn: by the clock, a busy machine would answer none."""
        nonlocal ended
        admin = psycopg.connect(f"host=127.0.0.1 user=postgres dbname={postgres}", autocommit=True)
        with closing(admin):
            while not over.is_set():
                if not answered.acquire(timeout=0.1):
                    continue
                cursor = admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid() "
                    "ORDER BY state = 'active' DESC, random() LIMIT 2"
                )
                ended += cursor.rowcount

    with closing(Store(postgres_url)) as store:

        def play(run_id):
            """Send 15 turns, each when the one before was answered; what was answered may never be gone."""
            for number in range(1, 16):
                append_turn(store, a_turn(run_id, number))
                answered.release()
                with suppress(StoreDisconnectedError):
                    assert store.checkpoint(run_id).turn_number == number

        killer = threading.Thread(target=end_connections)
        killer.start()
        try:
            with ThreadPoolExecutor(6) as threads:
                list(threads.map(play, run_ids))
        finally:
            over.set()
            killer.join()

        for run_id in run_ids:
            append_turn(store, a_turn(run_id, 16))

    assert ended > 10
    for run_id in run_ids:
        assert numbers(postgres_url, run_id) == (list(range(1, 17)), 16)
    with closing(Database(postgres_url)) as database, database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(turns)) == 12 * 16
        assert connection.scalar(select(func.count()).select_from(runs)) == 12


@pytest.mark.parametrize("moment", ["before", "after"])
def test_unconfirmed_commit_stores_turn_once(postgres_url, monkeypatch, moment):
    run_id = new_id()
    with closing(Store(postgres_url)) as store:
        append_turn(store, a_turn(run_id, 1))
        cut = iter([True])
        execute = psycopg.Cursor.execute

        def lose_the_answer(cursor, statement, values=None, **options):
            if statement == "COMMIT" and next(cut, False):
                if moment == "after":
                    execute(cursor, statement)
                cursor.connection.pgconn.finish()
                raise psycopg.OperationalError("server closed the connection unexpectedly")
            return execute(cursor, statement, values, **options)

        monkeypatch.setattr(psycopg.Cursor, "execute", lose_the_answer)

        append_turn(store, a_turn(run_id, 2))

        assert next(cut, False) is False
        with pytest.raises(ConflictError):
            append_turn(store, a_turn(run_id, 2))
    assert numbers(postgres_url, run_id) == ([1, 2], 2)


def test_other_clients_turn_conflicts_after_lost_connection(postgres_url, monkeypatch):
    run_id = new_id()
    with closing(Store(postgres_url)) as store, closing(Store(postgres_url)) as other:
        append_turn(store, a_turn(run_id, 1))
        cut = iter([True])
        execute = psycopg.Cursor.execute

        def lose_the_connection(cursor, statement, values=None, **options):
            if statement == "COMMIT" and next(cut, False):
                cursor.connection.pgconn.finish()
                append_turn(other, a_turn(run_id, 2, events_json=b'["theirs"]'))
                raise psycopg.OperationalError("server closed the connection unexpectedly")
            return execute(cursor, statement, values, **options)

        monkeypatch.setattr(psycopg.Cursor, "execute", lose_the_connection)

        with pytest.raises(ConflictError):
            append_turn(store, a_turn(run_id, 2, events_json=b'["ours"]'))

    assert numbers(postgres_url, run_id) == ([1, 2], 2)
