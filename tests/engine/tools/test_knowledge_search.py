from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from debugger.engine.tools import knowledge_search
from debugger.engine.tools.knowledge_search import FolderSearch, KnowledgeError, folder_search


def folder(root: Path, **documents: str) -> Path:
    """A folder of documents; ``__`` in a name is a folder's end, and each is a text in Markdown."""
    for name, text in documents.items():
        path = root / (name.replace("__", "/") + ".md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_what_shares_words_with_the_question_is_found_the_best_first(tmp_path):
    root = folder(
        tmp_path,
        clinic__hours="# Hours\n\nThe clinic is open from nine to five.",
        clinic__fees="# Fees\n\nA visit to the clinic costs 20 euro.",
        pets="Dogs bark.",
    )

    found = FolderSearch(root).search([], "When is the clinic OPEN?", 5)

    assert [passage["source"] for passage in found] == ["clinic/hours.md", "clinic/fees.md"]
    assert found[0]["text"] == "# Hours\n\nThe clinic is open from nine to five."
    assert found[0]["score"] > found[1]["score"] > 0


def test_no_more_is_found_than_was_asked_for(tmp_path):
    root = folder(tmp_path, a="open", b="open", c="open")

    found = FolderSearch(root).search([], "open", 2)

    assert [passage["source"] for passage in found] == ["a.md", "b.md"]


def test_a_word_that_nothing_has_finds_nothing(tmp_path):
    root = folder(tmp_path, a="open", b="...")

    assert FolderSearch(root).search([], "unicorns", 5) == []
    assert FolderSearch(root).search([], "?!", 5) == []


def test_a_knowledge_base_is_a_folder_or_a_document(tmp_path):
    root = folder(tmp_path, kb_1__a="open one", kb_1__deep__b="open two", kb_2="open three", kb_3="open four")
    search = FolderSearch(root)

    found = search.search(["kb_1", "kb_2", "kb_3.md"], "open", 5)

    assert {passage["source"] for passage in found} == {"kb_1/a.md", "kb_1/deep/b.md", "kb_2.md", "kb_3.md"}
    assert [passage["source"] for passage in search.search(["kb_2"], "open", 5)] == ["kb_2.md"]


def test_hidden_files_and_those_of_other_kinds_are_passed_over(tmp_path):
    root = folder(tmp_path, a="open")
    (root / ".git").mkdir()
    (root / ".git" / "b.md").write_text("open")
    (root / ".c.md").write_text("open")
    (root / "d.exe").write_text("open")

    assert [passage["source"] for passage in FolderSearch(root).search([], "open", 5)] == ["a.md"]


def test_an_empty_folder_holds_nothing(tmp_path):
    assert FolderSearch(tmp_path).search([], "open", 5) == []


def test_a_missing_folder_is_told_with_its_place(tmp_path):
    search = FolderSearch(tmp_path / "knowledge")

    with pytest.raises(KnowledgeError, match=r"no folder '.*knowledge'.* expected.*\.md"):
        search.search([], "open", 5)


def test_a_missing_knowledge_base_is_told_with_where_its_documents_are_expected(tmp_path):
    with pytest.raises(KnowledgeError) as caught:
        FolderSearch(tmp_path).search(["kb_9"], "open", 5)

    assert "no knowledge base 'kb_9'" in str(caught.value)
    assert str(tmp_path / "kb_9") in str(caught.value)


@pytest.mark.parametrize("kb_id", ["..", "../secret", "a/../../secret", "/etc", "", " ", "a\0b"])
def test_no_knowledge_base_is_outside_the_folder(tmp_path, kb_id):
    root = folder(tmp_path / "knowledge", a="open")
    folder(tmp_path, secret="open sesame")

    with pytest.raises(KnowledgeError, match="names no knowledge base"):
        FolderSearch(root).search([kb_id], "open", 5)


def test_a_link_that_leads_out_is_refused(tmp_path):
    root = folder(tmp_path / "knowledge", a="open")
    outside = folder(tmp_path / "outside", secret="open sesame")
    (root / "kb_1").symlink_to(outside)
    (root / "kb_2").mkdir()
    (root / "kb_2" / "link.md").symlink_to(outside / "secret.md")

    for kb_ids in (["kb_1"], ["kb_2"], []):
        with pytest.raises(KnowledgeError, match="leads out of the folder"):
            FolderSearch(root).search(kb_ids, "open", 5)


def test_a_name_too_long_for_the_system_is_told(tmp_path):
    with pytest.raises(KnowledgeError, match="cannot be read"):
        FolderSearch(tmp_path).search(["x" * 5000], "open", 5)


def test_documents_are_read_again_only_when_they_have_changed(tmp_path, monkeypatch):
    read: list[str] = []
    passages = knowledge_search.passages
    monkeypatch.setattr(knowledge_search, "passages", lambda path: read.append(path.name) or passages(path))
    root = folder(tmp_path, a="open at nine", b="closed")
    search = FolderSearch(root)

    search.search([], "open", 5)
    search.search([], "closed", 5)
    first = list(read)
    (root / "a.md").write_text("shut at nine")
    os.utime(root / "a.md", ns=(1, 1))
    found = search.search([], "shut", 5)

    assert first == ["a.md", "b.md"]
    assert found[0]["text"] == "shut at nine"
    assert search.search([], "open", 5) == []


def test_a_document_that_is_taken_away_is_found_no_more(tmp_path):
    root = folder(tmp_path, a="open", b="open")
    search = FolderSearch(root)
    search.search([], "open", 5)

    (root / "a.md").unlink()

    assert [passage["source"] for passage in search.search([], "open", 5)] == ["b.md"]


def test_too_many_documents_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(knowledge_search, "MOST_DOCUMENTS", 2)
    root = folder(tmp_path, kb__a="open", kb__b="open", c="open")

    with pytest.raises(KnowledgeError, match=r"hold 3 documents, of which 2 .*fewer knowledge bases"):
        FolderSearch(root).search([], "open", 5)
    assert len(FolderSearch(root).search(["kb"], "open", 5)) == 2


def test_too_many_bytes_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(knowledge_search, "MOST_BYTES", 1000)
    root = folder(tmp_path, a="open " * 300)

    with pytest.raises(KnowledgeError, match=r"1,500 bytes, of which 1,000 can"):
        FolderSearch(root).search([], "open", 5)


def test_several_threads_search_at_once_and_the_documents_are_read_once(tmp_path, monkeypatch):
    read: list[str] = []
    passages = knowledge_search.passages
    monkeypatch.setattr(knowledge_search, "passages", lambda path: read.append(path.name) or passages(path))
    search = FolderSearch(folder(tmp_path, **{f"d{number}": f"open door {number}" for number in range(20)}))
    start = threading.Barrier(8)

    def one(_: int) -> list[str]:
        start.wait()
        return [passage["source"] for passage in search.search([], "door 7", 3)]

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(one, range(8)))

    assert len(read) == 20
    assert all(each == found[0] for each in found)
    assert found[0][0] == "d7.md"


def test_one_folder_has_one_search(tmp_path):
    assert folder_search(tmp_path) is folder_search(tmp_path)
    assert folder_search(tmp_path) is not folder_search(tmp_path / "other")
