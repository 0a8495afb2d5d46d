from __future__ import annotations

import os
from contextlib import closing

import pytest
from typer.testing import CliRunner

from debugger.cli import main
from debugger.errors import InputError, StoreDamagedError, UnsupportedError
from debugger.store import Store, back_up, back_up_readable, restore
from tests.support.damage import damage, leaf_pages
from tests.support.turns import a_turn, append_turn

TURNS = 3
RUNS = [f"665f0c2b9a3e4d5f6a{number:06x}" for number in range(150)]
LONG = os.urandom(40_000)
"""Takes five pages of 8 KiB."""


@pytest.fixture
def file(tmp_path):
    """A store of 150 runs with three turns each, some over several pages."""
    file = tmp_path / "debugger.sqlite3"
    with closing(Store(f"sqlite:///{file}")) as store:
        store.create_workflow({"name": "Tea"})
        for number in range(1, TURNS + 1):
            for index, run_id in enumerate(RUNS):
                checkpoint = LONG if index % 40 == 0 else b"%d" % number * 100
                append_turn(store, a_turn(run_id, number, checkpoint=checkpoint))
        store.notes.star(RUNS[3])
    return file


def saved(file, tmp_path):
    """Back up what can be read, and restore it into another store."""
    backup = tmp_path / "saved.backup"
    counts, lost = back_up_readable(f"sqlite:///{file}", backup)
    url = f"sqlite:///{tmp_path}/restored.sqlite3"
    assert restore(url, backup) == counts
    return url, counts, lost


def test_whole_file_is_saved_whole(file, tmp_path):
    whole = back_up(f"sqlite:///{file}", tmp_path / "whole.backup")

    _, counts, lost = saved(file, tmp_path)

    assert (counts, lost) == (whole, [])


@pytest.mark.parametrize("places", [(2,), (0,), (-1,), (1, 4), (0, 2, -1)])
def test_damaged_pages_of_turns_cost_their_turns_alone(file, tmp_path, places):
    pages = leaf_pages(file, "turns")
    for place in places:
        damage(file, pages[place])
    with pytest.raises(StoreDamagedError, match="has a damaged page"):
        back_up(f"sqlite:///{file}", tmp_path / "whole.backup")

    url, counts, lost = saved(file, tmp_path)

    assert counts["turns"] + len(lost) == TURNS * len(RUNS)
    assert 0 < len(lost) <= 100 * len(places)
    assert all(line.startswith("turns: run_id 665f0c2b") for line in lost)
    lost_turns = {(line.split()[2].strip(","), int(line.split()[4])) for line in lost}
    with closing(Store(url)) as store:
        for run_id in RUNS:
            expected = [number for number in range(1, TURNS + 1) if (run_id, number) not in lost_turns]
            assert len(store.run(run_id).input_output_pairs) == len(expected)
        run_id = next(run_id for run_id in RUNS if not any(lost == run_id for lost, _ in lost_turns))
        append_turn(store, a_turn(run_id, TURNS + 1))
        assert store.notes.of(RUNS[3]).starred


def test_damaged_page_of_a_long_value_costs_its_turn_alone(file, tmp_path):
    leaf_pages(file, "turns")  # empties the log
    content = file.read_bytes()
    damage(file, content.index(LONG[20_000:20_100]) // 8192 + 1)

    _, counts, lost = saved(file, tmp_path)

    assert lost == [f"turns: run_id {RUNS[0]}, turn_number 1"]
    assert counts["turns"] == TURNS * len(RUNS) - 1


def test_turns_of_lost_runs_are_left_out(file, tmp_path):
    damage(file, leaf_pages(file, "runs")[1])

    url, counts, lost = saved(file, tmp_path)

    lost_runs = [line for line in lost if line.startswith("runs: row ")]
    lost_turns = [line for line in lost if line.endswith("for its row of runs cannot be read")]
    assert counts["runs"] + len(lost_runs) == len(RUNS)
    assert 0 < len(lost_runs) < len(RUNS)
    assert len(lost_turns) == TURNS * len(lost_runs) == len(lost) - len(lost_runs)
    with closing(Store(url)) as store:
        assert store.runs()[1] == counts["runs"]


@pytest.mark.parametrize("index", ["sqlite_autoindex_turns_1", "runs_by_time"])
def test_damaged_index_costs_no_row(file, tmp_path, index):
    damage(file, leaf_pages(file, index)[0])

    _, counts, lost = saved(file, tmp_path)

    assert (counts["runs"], counts["turns"], lost) == (len(RUNS), TURNS * len(RUNS), [])


@pytest.mark.parametrize("table", ["meta", "alembic_version"])
def test_lost_facts_are_made_again(file, tmp_path, table):
    for page in leaf_pages(file, table):
        damage(file, page)

    url, counts, _ = saved(file, tmp_path)

    assert (counts["runs"], counts["turns"]) == (len(RUNS), TURNS * len(RUNS))
    with closing(Store(url)) as store:
        assert store.has_present_tables()


def test_nothing_can_be_saved_without_the_first_page(file, tmp_path):
    with file.open("r+b") as opened:
        opened.seek(100)
        opened.write(b"\xff" * 8000)

    with pytest.raises(StoreDamagedError):
        back_up_readable(f"sqlite:///{file}", tmp_path / "saved.backup")

    assert not (tmp_path / "saved.backup").exists()


def test_incomplete_backup_replaces_no_other(file, tmp_path):
    backup = tmp_path / "yesterday.backup"
    back_up(f"sqlite:///{file}", backup)
    whole = backup.read_bytes()

    with pytest.raises(InputError, match="replaces no other"):
        back_up_readable(f"sqlite:///{file}", backup)

    assert backup.read_bytes() == whole


def test_part_of_postgres_is_not_saved(postgres_url, tmp_path):
    with pytest.raises(UnsupportedError):
        back_up_readable(postgres_url, tmp_path / "saved.backup")


def test_backup_command_lists_what_is_lost(file, tmp_path):
    damage(file, leaf_pages(file, "turns")[2])
    backup = tmp_path / "saved.backup"

    done = CliRunner().invoke(main, ["backup", str(backup), "--database", f"sqlite:///{file}"])
    again = CliRunner().invoke(main, ["backup", str(backup), "--database", f"sqlite:///{file}"])

    assert (done.exit_code, again.exit_code) == (1, 1)
    assert f"{file} has a damaged page" in done.stderr
    assert "rows cannot be read:\n  turns: run_id 665f" in done.stderr
    assert "all that can be read" in done.stdout
    assert "replaces no other" in again.stderr
    restore(f"sqlite:///{tmp_path}/restored.sqlite3", backup)
