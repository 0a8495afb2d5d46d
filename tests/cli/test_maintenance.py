from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from debugger.cli import main
from debugger.cli.maintenance import day
from debugger.store import ReplayTarget, Store, UnfinishedTurn, new_id, team_url
from tests.store.interrupted import interrupt
from tests.support.teams import add_team_key
from tests.support.turns import WholeTurn, append_turn

ROOT = Path(__file__).parents[2]
DAY = 86_400


def keep(url, *days_ago, name="Tea shop"):
    """A run for each age."""
    with closing(Store(url)) as store:
        for days in days_ago:
            append_turn(
                store,
                WholeTurn(
                    run_id=new_id(),
                    turn_number=1,
                    status="completed",
                    checkpoint=b"{}",
                    started_at=time.time() - days * DAY,
                    finished_at=time.time() - days * DAY,
                    workflow_id="w",
                    version_number=0,
                    workflow_name=name,
                ),
            )


def runs(url):
    with closing(Store(url)) as store:
        return store.runs()[1]


def here(*arguments, **environment):
    """Run a command in this process: one of its own takes two seconds to begin."""
    return CliRunner().invoke(main, arguments, env=environment)


def test_prune_deletes_only_with_yes(tmp_path):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"
    keep(url, 40, 35, 1)

    shown = here("prune", "--days", "30", WORKFLOW_DEBUGGER_DATABASE=url)
    after_showing = runs(url)
    done = here("prune", "--yes", WORKFLOW_DEBUGGER_DATABASE=url, WORKFLOW_DEBUGGER_KEEP_DAYS="30")

    assert shown.stdout.startswith("2 of 3 runs would be deleted, with ")
    assert shown.stdout.count("Tea shop") == 2
    assert shown.stdout.endswith("Nothing was deleted; use --yes to delete them.\n")
    assert after_showing == 3
    assert done.stdout.endswith("Deleted 2 runs.\n")
    assert runs(url) == 1


def test_prune_writes_no_control_characters(tmp_path):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"
    keep(url, 40, name="Tea\x1b[2J\nshop")

    shown = here("prune", "--days", "30", "--database", url)

    assert "Tea\\x1b[2J\\nshop" in shown.stdout


def test_prune_deletes_runs_that_users_deleted_long_ago(tmp_path):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"
    keep(url, 40, 35, 1)
    with closing(Store(url)) as store:
        gone = store.runs()[0][0].workflow_run_id
        store.hidden.hide([gone], "ada")
    settings = {"WORKFLOW_DEBUGGER_DATABASE": url, "WORKFLOW_DEBUGGER_KEEP_DELETED_DAYS": "0"}

    shown = here("prune", **settings)
    done = here("prune", "--yes", **settings)

    assert shown.stdout.startswith(
        "1 deleted run can no longer be restored and would be deleted.\n0 of 3 runs"
    )
    assert done.stdout.endswith("Deleted 1 run.\n")
    assert runs(url) == 2


def test_prune_says_that_interrupted_runs_stay(tmp_path):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"
    keep(url, 40)
    with closing(Store(url)) as store:
        [run] = store.runs()[0]
        interrupt(store, UnfinishedTurn(run.workflow_run_id, "w", 0, 1.0, b"{}"))

    shown = here("prune", "--days", "30", "--database", url)

    assert shown.stdout.endswith("or a turn is in progress or interrupted.\n")


def test_prune_counts_no_expired_runs(tmp_path):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"
    keep(url, 40, 30, 20, 10)
    with closing(Store(url)) as store:
        newest = [run.workflow_run_id for run in store.runs(size=2)[0]]
        store.hidden.hide(newest, "ada")
    settings = {"WORKFLOW_DEBUGGER_DATABASE": url, "WORKFLOW_DEBUGGER_KEEP_DELETED_DAYS": "0"}

    done = here("prune", "--runs", "2", "--yes", **settings)

    assert "0 of 4 runs would be deleted" in done.stdout
    assert done.stdout.endswith("Deleted 2 runs.\n")
    assert runs(url) == 2


def test_prune_deletes_old_suite_runs(tmp_path):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"
    with closing(Store(url)) as store:
        store.suites.begin("1" * 24, started_by="Ada", program_version="1.0", selected=1)

    kept = here("prune", "--days", "1", "--yes", "--database", url)
    shown = here("prune", "--days", "0", "--database", url)
    done = here("prune", "--days", "0", "--yes", "--database", url)

    assert "suite" not in kept.stdout
    assert shown.stdout.startswith("1 suite run would be deleted.\n")
    assert done.stdout.endswith("Deleted 0 runs.\nDeleted 1 suite run.\n")


def test_prune_deletes_old_replays(tmp_path):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"
    with closing(Store(url)) as store:
        target = ReplayTarget("6" * 24, 1, "d" * 64)
        store.replays.begin("1" * 24, target, started_by="Ada", program_version="1.0", selected=1)

    kept = here("prune", "--days", "1", "--yes", "--database", url)
    shown = here("prune", "--days", "0", "--database", url)
    done = here("prune", "--days", "0", "--yes", "--database", url)

    assert "replay" not in kept.stdout
    assert shown.stdout.startswith("1 replay would be deleted.\n")
    assert done.stdout.endswith("Deleted 0 runs.\nDeleted 1 replay.\n")


def test_prune_without_limit_is_rejected(tmp_path):
    told = here("prune", "--yes", "--database", f"sqlite:///{tmp_path}/debugger.sqlite3")

    assert told.exit_code == 1
    assert "--days 90" in told.stderr


def test_backup_and_restore_commands(tmp_path):
    url, other = f"sqlite:///{tmp_path}/debugger.sqlite3", f"sqlite:///{tmp_path}/other.sqlite3"
    keep(url, 2, 1)
    keep(other, 3)

    backed_up = here("backup", str(tmp_path / "backup"), "--database", url)
    refused = here("restore", str(tmp_path / "backup"), "--database", other)
    restored = here("restore", str(tmp_path / "backup"), "--replace", "--database", other)

    assert "backup: 0 workflows, 2 runs, 2 turns, " in backed_up.stdout
    assert (refused.exit_code, "--replace" in refused.stderr) == (1, True)
    assert restored.stdout == "Restored 0 workflows, 2 runs, 2 turns.\n"
    assert runs(other) == 2


def test_error_hides_password(tmp_path):
    url = "postgresql://ada:hunter2@127.0.0.1:1/runs"

    told = subprocess.run(
        [sys.executable, "-m", "debugger", "backup", str(tmp_path / "backup"), "--database", url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert told.returncode == 1
    assert told.stderr.startswith("error: The database runs on 127.0.0.1:1 cannot be reached: ")
    assert "hunter2" not in told.stderr
    assert "Traceback" not in told.stderr


def test_backup_exports_a_team(tmp_path):
    url, other = f"sqlite:///{tmp_path}/debugger.sqlite3", f"sqlite:///{tmp_path}/other.sqlite3"
    key_id = add_team_key(url, "qa")
    keep(team_url(url, "qa"), 40, 1)
    backup = str(tmp_path / "backup")

    rejected = here("prune", "--days", "30", "--database", url)
    listed = here("keys", "list", "--database", url)
    backed_up = here("backup", backup, "--database", url, "--team", "qa")
    here("restore", backup, "--database", other)
    here("keys", "revoke", key_id, "--database", url)
    accepted = here("prune", "--days", "30", "--database", url)

    assert (rejected.exit_code, accepted.exit_code) == (1, 0)
    assert "backup qa.backup --team qa" in rejected.stderr
    assert listed.stdout.splitlines()[1].split()[3] == "qa"
    assert "0 workflows, 2 runs, 2 turns" in backed_up.stdout
    assert runs(other) == 2


def test_backup_of_unknown_team_writes_nothing(tmp_path):
    url = f"sqlite:///{tmp_path}/debugger.sqlite3"

    failed = here("backup", str(tmp_path / "backup"), "--database", url, "--team", "qa")

    assert failed.exit_code == 1
    assert failed.stderr.startswith("error: There is no team 'qa'. The teams are: none at all.")
    assert list(tmp_path.glob("*team*")) == []


@pytest.mark.parametrize("seconds", [1e17, -1e17])
def test_day_beyond_the_calendar_is_unknown(seconds):
    assert day(seconds) == "?"
