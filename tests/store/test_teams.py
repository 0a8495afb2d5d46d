from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from subprocess import run
from threading import Barrier
from uuid import uuid4

import psycopg
import pytest

from debugger.errors import InputError, StoreError
from debugger.store import Store, url_of_team
from tests.postgres import SERVER


def test_a_team_sees_nothing_of_another_nor_of_the_main_store(url):
    with (
        closing(Store(url)) as main,
        closing(Store(url_of_team(url, "qa"))) as qa,
        closing(Store(url_of_team(url, "front-desk"))) as desk,
    ):
        workflows = [store.create_workflow({"name": "Tea"}) for store in (main, qa, desk)]

        assert [store.workflows() for store in (main, qa, desk)] == [([one], 1) for one in workflows]


def test_the_store_of_a_team_is_found_again(url):
    with closing(Store(url_of_team(url, "qa"))) as store:
        workflow = store.create_workflow({"name": "Tea"})

    with closing(Store(url_of_team(url, "qa"))) as store:
        assert store.workflows() == ([workflow], 1)


def test_a_file_of_a_team_lies_beside_the_main_one_and_keeps_the_options():
    assert url_of_team("sqlite:////srv/runs.sqlite3?timeout=3", "qa-2") == (
        "sqlite:////srv/runs.team-qa-2.sqlite3?timeout=3"
    )


def test_in_memory_each_team_has_a_store_of_its_own():
    with closing(Store("sqlite://")) as main, closing(Store(url_of_team("sqlite://", "qa"))) as qa:
        main.create_workflow({"name": "Tea"})

        assert qa.workflows() == ([], 0)


def test_a_schema_of_a_team_is_named_after_the_main_one(postgres):
    plain = f"postgresql://postgres@127.0.0.1:5432/{postgres}"
    with psycopg.connect(f"{SERVER} dbname={postgres}", autocommit=True) as server:
        server.execute('CREATE SCHEMA "My Shop"')
    shop = f"{plain}?options=-csearch_path%3D%22My%5C+Shop%22&timeout=3"

    of_plain, of_shop = url_of_team(plain, "front-desk"), url_of_team(shop, "qa")
    for url in (of_plain, of_shop):
        Store(url).close()

    with psycopg.connect(f"{SERVER} dbname={postgres}", autocommit=True) as server:
        found = server.execute("SELECT schemaname FROM pg_tables WHERE tablename = 'workflows'").fetchall()
        server.execute("DROP SCHEMA team_front_desk CASCADE")
    assert {name for (name,) in found} >= {"team_front_desk", "My Shop__team_qa"}
    assert "timeout=3" in of_shop


def test_a_schema_whose_name_the_server_would_cut_is_refused(postgres):
    main = "s" * 50
    with psycopg.connect(f"{SERVER} dbname={postgres}", autocommit=True) as server:
        server.execute(f"CREATE SCHEMA {main}")
    url = f"postgresql://postgres@127.0.0.1:5432/{postgres}?options=-csearch_path%3D{main}"

    with pytest.raises(StoreError, match="more than 63 bytes") as raised:
        url_of_team(url, "quality")

    assert "shorter" in raised.value.advice


def test_a_team_keeps_the_password_in_its_url_and_out_of_its_errors():
    with pytest.raises(StoreError) as raised:
        url_of_team("postgresql://ada:hunter2@127.0.0.1:1/runs", "qa")

    assert "hunter2" not in str(raised.value)


def test_a_name_that_could_lead_elsewhere_is_refused(url):
    with pytest.raises(InputError, match="a team's"):
        url_of_team(url, "../qa")


def test_several_may_open_a_team_for_the_first_time_at_the_same_moment(url):
    meet = Barrier(4)

    def open_team():
        meet.wait()
        with closing(Store(url_of_team(url, "qa"))) as store:
            return store.workflows()[1]

    with ThreadPoolExecutor(4) as pool:
        found = [future.result() for future in [pool.submit(open_team) for _ in range(4)]]

    assert found == [0, 0, 0, 0]


def test_two_processes_may_open_a_team_for_the_first_time_at_the_same_moment(postgres_url):
    code = (
        f"from debugger.store import Store, url_of_team; Store(url_of_team({postgres_url!r}, 'qa')).close()"
    )

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: run([sys.executable, "-c", code], capture_output=True), range(2)))

    assert [(one.returncode, one.stderr) for one in done] == [(0, b""), (0, b"")]


def test_a_user_who_may_make_no_schema_uses_the_one_that_was_made_for_it(postgres):
    user = f"modest_{uuid4().hex[:8]}"
    url = f"postgresql://{user}@127.0.0.1:5432/{postgres}?options=-csearch_path%3D{user}"
    with psycopg.connect(f"{SERVER} dbname={postgres}", autocommit=True) as server:
        server.execute(f"CREATE USER {user}")
        for schema in (user, f"{user}__team_qa"):
            server.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {user}")
        try:
            with closing(Store(url_of_team(url, "qa"))) as store:
                found = store.workflows()
            with pytest.raises(StoreError, match="may not be used so"):
                url_of_team(url, "desk")
        finally:
            server.execute(f"DROP OWNED BY {user}")
            server.execute(f"DROP USER {user}")

    assert found == ([], 0)
