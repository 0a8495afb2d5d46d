from __future__ import annotations

from contextlib import closing

import psycopg
import pytest

from debugger.errors import NotFoundError, StoreError
from debugger.store import Store, back_up, restore, team_url
from tests.support.postgres import SERVER
from tests.support.teams import add_team_key


def test_store_rejects_teams_with_export_command(url):
    add_team_key(url, "qa")
    add_team_key(url, "front-desk")

    with pytest.raises(StoreError, match="has the teams front-desk, qa; ") as caught:
        Store(url)

    assert "workflow-debugger backup qa.backup --team qa" in caught.value.advice
    assert "keys revoke ID" in caught.value.advice


def test_store_opens_after_team_keys_are_revoked(url):
    key_id = add_team_key(url)

    with closing(Store(url, permits_teams=True)) as store:
        store.api_keys.revoke(key_id)

    Store(url).close()


def test_team_is_exported_and_restored_alone(url, other_url, tmp_path):
    add_team_key(url, "front-desk")
    if url.startswith("postgresql"):
        database, _, schema = url.partition("?options=-csearch_path%3D")
        with psycopg.connect(f"{SERVER} dbname={database.rpartition('/')[2]}", autocommit=True) as server:
            server.execute(f"CREATE SCHEMA {schema}__team_front_desk")
    with closing(Store(url, permits_teams=True)) as store:
        store.create_workflow({"name": "Main"})
    with closing(Store(team_url(url, "front-desk"))) as store:
        store.create_workflow({"name": "Tea"})

    counts = back_up(team_url(url, "front-desk"), tmp_path / "backup")
    restore(other_url, tmp_path / "backup")

    with closing(Store(other_url)) as store:
        [workflow], _ = store.workflows()
    assert (counts["workflows"], workflow.name) == (1, "Tea")


def test_team_url_names_file_and_keeps_options(tmp_path):
    url = f"sqlite:///{tmp_path}/runs.sqlite3?timeout=3"
    add_team_key(url, "qa-2")

    assert team_url(url, "qa-2") == f"sqlite:///{tmp_path}/runs.team-qa-2.sqlite3?timeout=3"


def test_team_url_names_schema_after_main_one(postgres):
    plain = f"postgresql://postgres@127.0.0.1:5432/{postgres}"
    with psycopg.connect(f"{SERVER} dbname={postgres}", autocommit=True) as server:
        server.execute('CREATE SCHEMA "My Shop"')
    shop = f"{plain}?options=-csearch_path%3D%22My%5C+Shop%22&timeout=3"
    add_team_key(shop)
    with psycopg.connect(f"{SERVER} dbname={postgres}", autocommit=True) as server:
        server.execute('CREATE SCHEMA "My Shop__team_qa"')

    own = team_url(shop, "qa")
    Store(own).close()

    with psycopg.connect(f"{SERVER} dbname={postgres}", autocommit=True) as server:
        found = server.execute("SELECT schemaname FROM pg_tables WHERE tablename = 'workflows'").fetchall()
    assert "My Shop__team_qa" in {name for (name,) in found}
    assert "timeout=3" in own


def test_team_url_rejects_unknown_team(url):
    add_team_key(url)

    with pytest.raises(NotFoundError, match=r"no team '\.\./desk'\. The teams are: qa"):
        team_url(url, "../desk")


def test_team_url_hides_password_in_errors():
    with pytest.raises(StoreError) as caught:
        team_url("postgresql://ada:hunter2@127.0.0.1:1/runs", "qa")

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("team", ["x; rm -rf ~", "../../other", "qa\x1b[2J", "-qa"])
def test_team_of_another_program_is_in_no_command(url, team):
    add_team_key(url, team)

    with pytest.raises(StoreError, match="no name of a team") as refused:
        Store(url)
    with pytest.raises(NotFoundError):
        team_url(url, team)

    assert "backup" not in refused.value.advice
    assert refused.value.message.isprintable()
