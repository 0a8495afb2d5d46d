"""Attacks on the cost of searches: large passages, long queries."""

from __future__ import annotations

import pytest

from debugger.engine.tools import documents
from debugger.engine.tools.documents import passages
from debugger.engine.tools.knowledge import FolderSearch, KnowledgeError
from tests.safety.bounded_child import run_bounded

MEGABYTE = 1_000_000


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def search_failure(folder):
    def attack():
        with pytest.raises(KnowledgeError) as caught:
            FolderSearch(folder).search([], "open", 5)
        return str(caught.value)

    return run_bounded(attack)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.md", "# " + "h" * 200_000 + "".join(f"\n\n{'p' * 300}" for _ in range(400))),
        ("a.html", "<h1>" + "h" * 200_000 + "</h1>" + f"<p>{'p' * 300}" * 400),
        ("a.json", '{"' + "k" * 200_000 + '": [' + "1," * 1_000 + "1]}"),
        ("a.json", '{"a":' + ('{"' + "k" * 900 + '":') * 300 + "[" + "1," * 50 + "1]" + "}" * 301),
        ("a.csv", "n" * 100_000 + "\n1" * 1_000),
    ],
    ids=["heading", "html", "key", "keys", "column"],
)
def test_repeated_names_are_cut(tmp_path, name, text):
    path = written(tmp_path, name, text)

    outcome = run_bounded(lambda: sum(map(len, passages(path))))

    assert outcome.value < 2 * MEGABYTE
    assert outcome.grown_bytes < 50 * MEGABYTE


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"' + "k" * 1_000 + '": [' + "1," * 100_000 + "1]}"),
        ("a.csv", "n" * 1_000 + "\n1" * 100_000),
    ],
    ids=["key", "column"],
)
def test_passages_of_document_are_bounded(tmp_path, name, text):
    written(tmp_path, name, text)

    outcome = search_failure(tmp_path)

    assert f"'{name}' the passages have more than 40,000,000 characters" in outcome.value
    assert outcome.grown_bytes < 200 * MEGABYTE


def test_number_of_passages_is_bounded(tmp_path):
    written(tmp_path, "a.csv", "n\n" + "1\n" * 250_000)

    outcome = search_failure(tmp_path)

    assert "'a.csv' there are more than 200,000 passages" in outcome.value
    assert outcome.grown_bytes < 100 * MEGABYTE


def test_documents_of_search_share_one_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "MAX_PASSAGES", 100)
    for number in range(3):
        written(tmp_path, f"{number}.csv", "n\n" + "1\n" * 40)

    assert "'2.csv' there are more than 100 passages" in search_failure(tmp_path).value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "x" * 10_000_000),
        ("a.csv", "," * 20_000 + "\n1" * 50_000),
        ("a.json", "[" * 900 + "1," * 300_000 + "1" + "]" * 900),
    ],
    ids=["line", "columns", "depth"],
)
def test_document_is_read_in_little_time(tmp_path, name, text):
    path = written(tmp_path, name, text)

    assert run_bounded(lambda: len(passages(path))).cpu_seconds < 2


def test_long_query_costs_little(tmp_path):
    written(tmp_path, "a.csv", "n\n" + "open\n" * 2_000)
    search = FolderSearch(tmp_path)
    search.search([], "open", 5)

    outcome = run_bounded(lambda: len(search.search([], "open " * 400_000, 5)))

    assert outcome.value == 5
    assert outcome.cpu_seconds < 0.5
