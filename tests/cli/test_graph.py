from __future__ import annotations

import json
from contextlib import closing

import pytest
from typer.testing import CliRunner

from debugger.backends import open_embedded
from debugger.cli import main
from debugger.cli.export import INFRASTRUCTURE, USAGE
from debugger.graph import graphviz_program as program
from debugger.settings import Settings
from tests.support.clinic import play
from tests.support.factories import direct, document, say


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The URL of a store with a call of the clinic, and the call's id."""
    url = f"sqlite:///{tmp_path_factory.mktemp('store')}/runs.sqlite3"
    with closing(open_embedded(Settings(database=url))) as backend:
        return url, play(backend, "I want to book an appointment")


def draw(*arguments):
    return CliRunner().invoke(main, ["graph", *map(str, arguments)])


def test_file_is_drawn_without_a_store(tmp_path):
    file = tmp_path / "a.json"
    file.write_text(json.dumps(document(say("a"), say("b"), direct("a", "b"))))

    done = draw(file, "-o", tmp_path / "a.mmd", "--direction", "right", "--database", "nonsense://")

    assert done.exit_code == 0, done.output
    assert "2 nodes, 1 edges" in done.output
    assert (tmp_path / "a.mmd").read_text().splitlines()[3:5] == [
        "flowchart LR",
        '    n0("A<br/>say#95;llm · start")',
    ]


@pytest.mark.parametrize("name", ["svg", "png", "dot", "mmd"])
def test_stored_workflow_is_drawn_with_a_run(store, tmp_path, name):
    out = tmp_path / f"clinic.{name}"

    done = draw("Clinic front desk", "--run", store[1], "--heat", "--open", "-o", out, "--database", store[0])

    assert done.exit_code == 0, done.output
    assert out.stat().st_size > 1000
    if name == "svg":
        text = out.read_text(encoding="utf-8")
        assert "the run came to" in text
        assert "of the time" in text


def test_wrong_use_says_what_to_do(store, tmp_path):
    out = tmp_path / "a.svg"
    out.write_text("mine")
    cases = {
        ("Clinic front desk", "-o", tmp_path / "a.gif"): "Name it *.svg, *.png, *.pdf, *.dot, *.mmd.",
        ("Clinic front desk", "-o", out): "Use --force to replace it.",
        ("Clinic front desk", "-o", tmp_path / "b.dot", "--heat"): "Name one by --run.",
        ("Clinic front desk", "-o", tmp_path / "b.dot", "--run", store[1], "--no-path"): "Add --heat.",
        ("nowhere", "-o", tmp_path / "b.dot"): "Use the workflow's id.",
        ("Tea welcome", "-o", tmp_path / "b.dot", "--run", store[1]): "is of the workflow",
    }

    for arguments, words in cases.items():
        done = draw(*arguments, "--database", store[0])
        assert (done.exit_code, words in done.output) == (USAGE, True), done.output
    assert out.read_text() == "mine"


def test_missing_dot_is_told(tmp_path, monkeypatch):
    file = tmp_path / "a.json"
    file.write_text(json.dumps(document(say("a"))))
    monkeypatch.setattr(program.shutil, "which", lambda name: None)

    done = draw(file, "-o", tmp_path / "a.pdf")

    assert done.exit_code == INFRASTRUCTURE
    assert "PDF needs Graphviz's program dot: apt-get install graphviz" in done.output
    assert not (tmp_path / "a.pdf").exists()
