from __future__ import annotations

import socket
import struct
import subprocess
import sys
import threading
import traceback
from contextlib import closing, contextmanager
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from debugger.errors import InputError, StoreDisconnectedError, StoreError
from debugger.protocol.runs import RunSearch
from debugger.store import Store, new_id
from debugger.store.database import Database, dialect_of
from tests.support.turns import a_turn, append_turn

PASSWORD = uuid4().hex
SERVER = "host=127.0.0.1 port=5432 user=postgres"


@contextmanager
def a_server_that_says(*packets):
    """A socket that answers whoever connects as PostgreSQL would, then ends the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            connection, _ = listening.accept()
            with connection:
                for packet in packets:
                    while struct.unpack("!xxxxi", connection.recv(10_000)[:8])[0] == 80877103:
                        connection.sendall(b"N")  # no TLS
                    connection.sendall(packet)

        thread = threading.Thread(target=answer)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


ASKS_FOR_PASSWORD = b"R" + struct.pack("!ii", 8, 3)


def refusal(code, text):
    body = b"SFATAL\0VFATAL\0C%s\0M%s\0\0" % (code, text)
    return b"E" + struct.pack("!i", 4 + len(body)) + body


def backends(database):
    with psycopg.connect(f"{SERVER} dbname={database}") as admin:
        found = admin.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return [pid for (pid,) in found]


def end_all(database):
    with psycopg.connect(f"{SERVER} dbname={database}", autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_both_url_schemes_open_database(postgres_url, scheme):
    url = postgres_url.replace("postgresql", scheme)

    with closing(Store(url)) as store:
        store.create_workflow({"name": "Tea"})

    with closing(Store(postgres_url)) as store:
        assert store.workflows()[1] == 1


def test_place_hides_password():
    assert dialect_of("postgresql://ada:hunter2@db.example:6543/runs").place == "runs on db.example:6543"
    assert (
        dialect_of("postgresql://ada:hunter2@/runs?host=/run/postgresql").place == "runs on /run/postgresql"
    )


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("127.0.0.1:1/test", "refused"),
        ("no.such.host.invalid/test", "resolve host"),
        ("127.0.0.1:5432/no_such_database", 'database "no_such_database" does not exist'),
    ],
)
def test_unreachable_database_error_hides_password(postgres, address, told):
    with pytest.raises(StoreError, match="cannot be reached: ") as caught:
        Store(f"postgresql://postgres:{PASSWORD}@{address}")

    assert told in str(caught.value)
    assert "WORKFLOW_DEBUGGER_DATABASE" in caught.value.advice
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
    assert PASSWORD not in repr(caught.value)


def test_wrong_password_error_hides_password():
    wrong = refusal(b"28P01", b'password authentication failed for user "ada"')
    with (
        a_server_that_says(ASKS_FOR_PASSWORD, wrong) as port,
        pytest.raises(StoreError, match="password authentication failed") as caught,
    ):
        Store(f"postgresql://ada:{PASSWORD}@127.0.0.1:{port}/runs?gssencmode=disable")

    assert "password" in caught.value.advice
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_database_without_utf8_is_rejected(postgres):
    name = f"ascii_{uuid4().hex[:12]}"
    with psycopg.connect(f"{SERVER} dbname=test", autocommit=True) as admin:
        made = "CREATE DATABASE {} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"
        admin.execute(SQL(made).format(Identifier(name)))
        try:
            with pytest.raises(StoreError, match="in SQL_ASCII") as caught:
                Store(f"postgresql://postgres@127.0.0.1/{name}")
        finally:
            admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))

    assert "UTF8" in caught.value.advice


def test_ended_idle_connections_are_replaced(postgres, postgres_url):
    run_id = new_id()
    with closing(Store(postgres_url)) as store:
        append_turn(store, a_turn(run_id, 1))
        store.runs()
        end_all(postgres)

        append_turn(store, a_turn(run_id, 2))
        end_all(postgres)
        assert store.checkpoint(run_id).turn_number == 2
        end_all(postgres)
        assert len(store.run(run_id).input_output_pairs) == 2
        end_all(postgres)
        store.notes.star(run_id)
        assert store.notes.of(run_id).starred


def test_ended_connection_rolls_back(postgres, postgres_url):
    with closing(Store(postgres_url)) as store, closing(Database(postgres_url)) as database:
        kept = store.create_workflow({"name": "Tea"}).id

        with (
            pytest.raises(StoreDisconnectedError, match="has ended the connection"),
            database.writing() as connection,
        ):
            connection.exec_driver_sql("DELETE FROM versions")
            end_all(postgres)
            connection.exec_driver_sql("DELETE FROM workflows")

        assert store.document(kept) == (0, {"name": "Tea"})
        with database.writing() as connection:
            connection.exec_driver_sql("UPDATE workflows SET name = 'Coffee'")
        assert store.workflow_summary(kept).name == "Coffee"


def test_locked_run_times_out_alone(postgres_url):
    held, free = new_id(), new_id()
    with (
        closing(Store(f"{postgres_url}&timeout=0.2")) as store,
        closing(Database(postgres_url)) as other,
    ):
        append_turn(store, a_turn(held, 1))
        append_turn(store, a_turn(free, 1))

        with other.writing() as connection:
            connection.exec_driver_sql(f"SELECT 1 FROM runs WHERE id = '{held}' FOR UPDATE")
            with pytest.raises(StoreError, match="is locked"):
                append_turn(store, a_turn(held, 2))
            with pytest.raises(StoreError, match="is locked"):
                store.notes.star(held)
            append_turn(store, a_turn(free, 2))

        append_turn(store, a_turn(held, 2))
        assert store.checkpoint(held).turn_number == store.checkpoint(free).turn_number == 2


def test_read_only_database_is_readable(postgres_url):
    with closing(Store(postgres_url)) as store:
        run_id = new_id()
        append_turn(store, a_turn(run_id, 1))
    standby = postgres_url + "%20-cdefault_transaction_read_only%3Don"

    with closing(Store(standby)) as store:
        assert store.checkpoint(run_id).turn_number == 1
        with pytest.raises(StoreError, match="may not be written") as caught:
            append_turn(store, a_turn(run_id, 2))

    assert "primary" in caught.value.advice


def test_more_threads_than_connections_wait_for_one_another(postgres, postgres_url):
    with closing(Store(f"{postgres_url}&connections=2")) as store:
        run_ids = [new_id() for _ in range(8)]

        def play(run_id):
            for number in range(1, 11):
                append_turn(store, a_turn(run_id, number))
                store.runs(size=1)

        threads = [threading.Thread(target=play, args=[run_id]) for run_id in run_ids]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(backends(postgres)) <= 2
        assert [store.checkpoint(run_id).turn_number for run_id in run_ids] == [10] * 8


def test_exhausted_pool_error_names_option(postgres_url):
    Store(postgres_url).close()
    with (
        closing(Database(f"{postgres_url}&connections=1&timeout=0.1")) as database,
        database.reading(),
        pytest.raises(StoreError, match="all its connections") as caught,
        database.reading(),
    ):
        pass

    assert "?connections=" in caught.value.advice


def test_a_server_without_room_says_so():
    dialect = dialect_of("postgresql://ada@host/runs")

    told = dialect.error_kind(psycopg.errors.DiskFull("could not extend file"))

    assert told.what == "has no space left"


def test_unstorable_values_are_input_errors(postgres_url):
    with closing(Store(postgres_url)) as store:
        with pytest.raises(InputError, match="cannot be stored"):
            store.create_workflow({"name": "Tea \0"})
        with pytest.raises(InputError, match="cannot be stored"):
            append_turn(store, a_turn(new_id(), 1, run_by="\ud83c"))
        with pytest.raises(InputError, match="cannot be stored"):
            append_turn(store, a_turn(new_id(), 2**64))

        assert store.workflows() == ([], 0)
        assert store.runs() == ([], 0, 0)


def test_search_ignores_nul_character(postgres_url):
    run_id = new_id()
    with closing(Store(postgres_url)) as store:
        append_turn(
            store,
            a_turn(run_id, 1, events_json=b'[{"type":"assistant_response","content":"Green\\u0000tea"}]'),
        )

        assert store.runs(search=RunSearch(text="green tea")).total == 1
        assert store.run(run_id).input_output_pairs[0].run_output.events[0]["content"] == "Green\0tea"


def test_without_its_driver_it_says_what_to_install():
    program = (
        "import sys, importlib.util as util\n"
        "found = util.find_spec\n"
        "sys.meta_path.insert(0, type('Hidden', (), {'find_spec': staticmethod(lambda name, *rest: None)}))\n"
        "import debugger.store.database as engines\n"
        "engines.find_spec = lambda name: None if name == 'psycopg' else found(name)\n"
        "try:\n    engines.dialect_of('postgresql://ada:hunter2@host/runs')\n"
        "except Exception as error:\n    print(error)\n"
    )

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout

    assert "pip install '.[postgres]'" in told
    assert "hunter2" not in told
