from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from zipfile import ZipFile

import pytest
from typer.testing import CliRunner

from debugger.backends import open_embedded
from debugger.boundary import RULES, MaskingOptions, boundary, process_secrets
from debugger.cli import main
from debugger.cli.export import INFRASTRUCTURE, USAGE, MaskingRules
from debugger.engine.outbound.known_secrets import KnownSecrets
from debugger.exports.saved_options import options_to_json
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from debugger.store.edited_tables import NEVER_WRITTEN
from tests.support.clinic import play
from tests.support.exports import csv_rows, options
from tests.support.factories import document, say

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The URL of a store with two calls, the second tagged; and their ids."""
    url = f"sqlite:///{tmp_path_factory.mktemp('store')}/runs.sqlite3"
    with closing(open_embedded(Settings(database=url))) as backend:
        ids = [play(backend), play(backend, "I want to book an appointment")]
        backend.store.notes.change_tags([ids[1]], ["Monday"])
    return url, ids


def export(store, out, *arguments):
    return CliRunner().invoke(main, ["export", "--database", store[0], "--out", str(out), *arguments])


def test_filter_becomes_one_masked_file(store, tmp_path):
    out = tmp_path / "runs.csv"

    done = export(store, out, "--filter", "all", "--shape", "message", "--columns", "qa-review")

    assert done.exit_code == 0, done.output
    rows = csv_rows(out.read_bytes())
    assert {row["run_id"] for row in rows} == set(store[1])
    assert not any("March 3, 1990" in row["text"] for row in rows)
    assert "2 runs, 18 rows" in done.output
    assert "birth_date" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["runs.csv"]


def test_runs_without_row_are_named_on_stderr(tmp_path):
    url = f"sqlite:///{tmp_path}/runs.sqlite3"
    with closing(open_embedded(Settings(database=url, responder="rules"))) as backend:
        silent = backend.create_workflow(document(say("chat", is_start=True)))
        run_id = backend.execute(silent.id, TurnInput.from_wire({"command": "start"})).finish().run_id
        play(backend)

    done = export((url,), tmp_path / "runs.csv", "--filter", "all", "--shape", "message")

    assert done.exit_code == 0, done.output
    assert f"1 of 2 runs has no row: {run_id}." in done.stderr


def test_secret_of_the_environment_is_masked(store, tmp_path, monkeypatch):
    known = KnownSecrets()
    monkeypatch.setattr(boundary, "KNOWN_SECRETS", known)
    monkeypatch.setattr(process_secrets, "KNOWN_SECRETS", known)
    monkeypatch.setenv("SHOP_TOKEN", "sore knee")

    files = [tmp_path / name for name in ("runs.csv", "runs.jsonl", "runs.html", "runs.xlsx")]
    for out in files:
        assert export(store, out, "--filter", "all", "--no-mask").exit_code == 0

    assert not [out.name for out in files if b"sore knee" in out.read_bytes()]
    assert "***" in files[0].read_text("utf-8")


@pytest.mark.parametrize(
    ("filters", "places"),
    [
        ("tag=Monday", [1]),
        ("status=completed", [0]),
        ("'workflow=clinic front desk' text='sore knee'", [0]),
        ("since=2020-01-01 version=1", [1, 0]),
        ("since=30d until=0h", [1, 0]),
    ],
)
def test_filter_selects_runs(store, tmp_path, filters, places):
    out = tmp_path / "runs.jsonl"

    done = export(store, out, "--filter", filters, "--columns", "run_id", "--shape", "turn")

    assert done.exit_code == 0, done.output
    text = out.read_text()
    assert [run_id in text for run_id in store[1]] == [place in places for place in range(2)]


def test_options_of_csv_and_masking(store, tmp_path):
    out = tmp_path / "runs.csv"
    arguments = ["--run", store[1][0], "--no-mask", "--bom", "--separator", "semicolon"]

    done = export(store, out, *arguments, "--columns", "turn,text,variable:full_name")

    assert done.exit_code == 0, done.output
    data = out.read_bytes()
    assert data.startswith(b"\xef\xbb\xbfturn;text;variable:full_name;masked")
    rows = csv_rows(data, ";")
    assert any("March 3, 1990" in row["text"] for row in rows)
    assert {row["masked"] for row in rows} == {"masking off"}
    assert "masking is off" in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "No run was selected."),
        (["--filter", " "], "No run was selected."),
        (["--filter", "starred=no"], "The filter cannot have starred=no."),
        (["--filter", "tag=Sunday"], "No run matches 'tag=Sunday'."),
        (["--filter", "colour=red"], "The part 'colour=red' of the filter is not known."),
        (["--filter", "text='open"], "cannot be read"),
        (["--filter", "version=x"], "'x' is none."),
        (["--filter", "since=soon"], "'soon' is not a date."),
        (["--filter", "workflow=Nobody"], "No workflow is named 'Nobody'."),
        (["--run", "123"], "'123' is not a run id."),
        (["--run", "665f0c2b9a3e4d5f6a7b8c90"], "665f0c2b9a3e4d5f6a7b8c90"),
        (["--filter", "all", "--columns", "lex"], "There is no preset or column 'lex'."),
        (["--filter", "all", "--columns", "text,mood"], "There is no column 'mood'."),
        (["--filter", "all", "--separator", "pipe"], "There is no separator 'pipe'."),
        (["--filter", "all", "--no-mask", "--hide", "x"], "--no-mask goes with neither"),
        (["--filter", "all", "--mask", "shoe"], "There is no masking rule 'shoe'."),
        (
            ["--filter", "all", "--columns", "lex-test-set", "--format", "xlsx"],
            "A Lex test set is a CSV file.",
        ),
    ],
)
def test_wrong_use_has_exit_code_2(store, tmp_path, arguments, words):
    done = export(store, tmp_path / "runs.csv", *arguments)

    assert (done.exit_code, words in done.output) == (USAGE, True), done.output
    assert list(tmp_path.iterdir()) == []


def test_empty_store_has_no_run(tmp_path):
    done = export([f"sqlite:///{tmp_path}/empty.sqlite3"], tmp_path / "runs.csv", "--filter", "all")

    assert (done.exit_code, "There is no run." in done.output) == (USAGE, True)


def test_existing_file_is_replaced_by_force_alone(store, tmp_path):
    out = tmp_path / "runs.html"
    out.write_text("mine")

    refused = export(store, out, "--filter", "all")
    assert (refused.exit_code, out.read_text()) == (USAGE, "mine")

    done = export(store, out, "--filter", "all", "--force")
    assert done.exit_code == 0
    assert "sore knee" in out.read_text()


def test_format_is_that_of_the_extension(store, tmp_path):
    assert export(store, tmp_path / "runs.doc", "--filter", "all").exit_code == USAGE
    assert export(store, tmp_path / "runs.xlsx", "--filter", "all").exit_code == 0
    assert (tmp_path / "runs.xlsx").read_bytes().startswith(b"PK")


def test_store_and_disk_have_exit_code_3(store, tmp_path):
    broken = tmp_path / "broken.sqlite3"
    broken.write_text("no database" * 100)

    no_store = export((f"sqlite:///{broken}", []), tmp_path / "runs.csv", "--filter", "all")
    no_folder = export(store, tmp_path / "nowhere" / "runs.csv", "--filter", "all")

    assert (no_store.exit_code, no_folder.exit_code) == (INFRASTRUCTURE, INFRASTRUCTURE)
    assert "The file cannot be written" in no_folder.output


def test_interrupted_export_leaves_no_file(store, tmp_path):
    code = (
        "from debugger.exports import sources\n"
        "whole = sources.RunReader.read\n"
        "sources.RunReader.read = lambda self, ids: whole(self, ids * 4000)\n"
        "from debugger.cli import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code, "export", "--database", store[0], "--run", store[1][0]]
    process = subprocess.Popen(
        [*command, "--out", str(tmp_path / "runs.csv")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size for path in tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)

    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)

    assert (process.returncode, "The export was cancelled." in told) == (130, True), told
    assert list(tmp_path.iterdir()) == []


def test_run_file_is_one_run_or_an_archive(store, tmp_path):
    run_id = store[1][0]

    for name in ("one.run.json", "one.runs.zip"):
        assert export(store, tmp_path / name, "--run", run_id).exit_code == 0
    refused = export(store, tmp_path / "all.run.json", "--filter", "all")
    done = export(store, tmp_path / "all.runs.zip", "--filter", "all")

    assert json.loads((tmp_path / "one.run.json").read_bytes())["run"]["workflow_run_id"] == run_id
    assert ZipFile(tmp_path / "one.runs.zip").namelist() == [f"run-{run_id}.run.json"]
    assert (refused.exit_code, "all.run.json is the name of one run, and 2" in refused.output) == (
        USAGE,
        True,
    )
    assert (done.exit_code, len(ZipFile(tmp_path / "all.runs.zip").namelist())) == (0, 2)
    assert not (tmp_path / "all.run.json").exists()


def test_saved_preset_hides_its_variables(store, tmp_path):
    masking = MaskingOptions(variables=("full_name",))
    saved = options(masking=masking, columns=["text", "variable:full_name"])
    with closing(open_embedded(Settings(database=store[0]))) as backend:
        backend.store.export_presets.save("Weekly", options_to_json(saved), expected=NEVER_WRITTEN)

    for name, arguments in (("masked", []), ("email", ["--mask", "email"]), ("whole", ["--no-mask"])):
        done = export(store, tmp_path / f"{name}.csv", "--filter", "all", "--columns", "Weekly", *arguments)
        assert done.exit_code == 0, done.output

    found = {
        name: "Ada Moreno" in (tmp_path / f"{name}.csv").read_text() for name in ("masked", "email", "whole")
    }
    assert found == {"masked": False, "email": False, "whole": True}


def test_help_lists_all_masking_rules():
    [option] = MaskingRules.__metadata__

    assert option.help.endswith(f" {', '.join(RULES)}.")
