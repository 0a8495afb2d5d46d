from __future__ import annotations

import json
import os
import threading
from contextlib import closing

import pytest
from typer.testing import CliRunner

from debugger.backends import open_embedded
from debugger.boundary import boundary, process_secrets
from debugger.cli import main
from debugger.cli.export import INFRASTRUCTURE, USAGE
from debugger.engine.outbound.known_secrets import KnownSecrets
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
    assert "2 nodes, 1 edge, " in done.output
    assert 'flowchart LR\n    n0("A<br/>say#95;llm · start")\n' in (tmp_path / "a.mmd").read_text()


@pytest.mark.parametrize("name", ["svg", "dot", "mmd"])
def test_secret_of_the_environment_is_masked_without_a_store(tmp_path, monkeypatch, name):
    known = KnownSecrets()
    monkeypatch.setattr(boundary, "KNOWN_SECRETS", known)
    monkeypatch.setattr(process_secrets, "KNOWN_SECRETS", known)
    monkeypatch.setenv("OPENAI_API_KEY", "planted7key8value9")
    file, out = tmp_path / "a.json", tmp_path / f"a.{name}"
    file.write_text(
        json.dumps(
            document(
                say("a", name="Use planted7key8value9"),
                say("planted7key8value9", name=None),
                direct("a", "planted7key8value9", name="planted7key8value9"),
                name="planted7key8value9",
            )
        )
    )

    done = draw(file, "-o", out)

    assert done.exit_code == 0, done.output
    assert "planted7" not in out.read_text(encoding="utf-8")


def test_file_that_is_no_regular_one_is_drawn(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = json.dumps(document(say("a"), say("b"), direct("a", "b")))
    writer = threading.Thread(target=pipe.write_text, args=(content,), daemon=True)
    writer.start()

    done = draw(pipe, "-o", tmp_path / "a.dot")

    assert done.exit_code == 0, done.output
    assert "2 nodes" in done.output


def test_what_is_neither_file_nor_workflow_is_told(store, tmp_path):
    for wanted, words in {
        "x" * 10_000: "No workflow is named",
        tmp_path / "gone.json": "The file cannot be read: No such file or directory. Check the path.",
        tmp_path: "No workflow is named",
        "": "No workflow is named ''",
    }.items():
        done = draw(wanted, "-o", tmp_path / "a.dot", "--database", store[0])
        assert (done.exit_code, words in done.output) == (USAGE, True), done.output


def test_command_says_what_mermaid_refuses(tmp_path):
    file = tmp_path / "a.json"
    parts = [direct("a", "b", logical_id=f"e{place}") for place in range(501)]
    file.write_text(json.dumps(document(say("a"), say("b"), *parts)))

    done = draw(file, "-o", tmp_path / "a.mmd")

    assert done.exit_code == 0, done.output
    assert "Mermaid draws up to 50,000 and 500 unless maxTextSize and maxEdges are set" in done.output


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
    monkeypatch.setattr(program.shutil, "which", lambda name, **where: None)

    done = draw(file, "-o", tmp_path / "a.pdf")

    assert done.exit_code == INFRASTRUCTURE
    assert "PDF needs Graphviz's program dot: apt-get install graphviz" in done.output
    assert not (tmp_path / "a.pdf").exists()
