from __future__ import annotations

from contextlib import closing

import psycopg
import pytest

from debugger.store.postgres_cursor import TurnCursor


@pytest.fixture
def cursor(postgres):
    address = f"host=127.0.0.1 port=5432 user=postgres dbname={postgres}"
    with closing(psycopg.connect(address, autocommit=True)) as connection:
        yield TurnCursor(connection, {})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("TEXT", "Grün '%s' $1 \\ \n"),
        ("VARCHAR", ""),
        ("BYTEA", b"\x00\xff\\x00'"),
        ("BYTEA", b""),
        ("BIGINT", -(2**63)),
        ("INTEGER", 2**31 - 1),
        ("DOUBLE PRECISION", 1_785_200_000.123456),
        ("DOUBLE PRECISION", 1e-300),
        ("TEXT", None),
        ("BYTEA", None),
    ],
)
def test_a_value_comes_back_as_it_was_given(cursor, kind, value):
    for _ in range(2):
        cursor.execute(f"SELECT %s::{kind}, 7 %% 4", [value])

        assert cursor.fetchone() == (value, 3)
        assert cursor.fetchone() is None


def test_a_statement_is_prepared_once_on_a_connection(cursor):
    for number in range(3):
        cursor.execute("SELECT %s::BIGINT, 'once'", [number])
        cursor.execute("SELECT %s::BIGINT, 'again'", [number])

    cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE %s", ["turn%"])
    assert cursor.fetchone() == (3,)


def test_the_rows_that_a_statement_has_changed_are_counted(cursor):
    cursor.execute("BEGIN")
    cursor.execute("CREATE TEMPORARY TABLE teas (name TEXT PRIMARY KEY) ON COMMIT DROP")

    counts = []
    for statement, value in [
        ("INSERT INTO teas VALUES (%s)", "green"),
        ("INSERT INTO teas VALUES (%s) ON CONFLICT DO NOTHING", "green"),
        ("UPDATE teas SET name = name WHERE name = %s", "black"),
        ("DELETE FROM teas WHERE name = %s", "green"),
    ]:
        cursor.execute(statement, [value])
        counts.append(cursor.rowcount)
    cursor.execute("COMMIT")

    assert counts == [1, 0, 0, 1]


def test_an_error_of_the_server_bears_its_code_and_the_connection_is_used_again(cursor):
    cursor.execute("BEGIN")
    with pytest.raises(psycopg.errors.NumericValueOutOfRange):
        cursor.execute("SELECT %s::BIGINT", [2**64])
    cursor.execute("ROLLBACK")
    with pytest.raises(psycopg.errors.UndefinedTable):
        cursor.execute("SELECT %s::TEXT FROM no_such_table", ["x"])

    cursor.execute("SELECT %s::BIGINT", [1])
    assert cursor.fetchone() == (1,)


def test_a_text_that_would_be_cut_off_is_refused(cursor):
    with pytest.raises(psycopg.DataError, match="NUL"):
        cursor.execute("SELECT %s::TEXT", ["Green\0tea"])
