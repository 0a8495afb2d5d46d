from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from debugger.engine.options import EngineOptions
from debugger.engine.tools import knowledge
from debugger.engine.tools.base import ToolContext, ToolResult
from debugger.engine.tools.knowledge import (
    FolderSearch,
    KnowledgeBaseConfig,
    KnowledgeBaseTool,
    KnowledgeError,
    folder_search,
)
from debugger.errors import RunError
from debugger.expressions import Scope


def config(**fields: object) -> KnowledgeBaseConfig:
    return KnowledgeBaseConfig.from_wire({"type": "knowledge_base", "name": "kb", **fields})


def context(folder: object = None) -> ToolContext:
    return ToolContext(scope=Scope(), timeout=5, options=EngineOptions(knowledge_folder=folder))


def test_matching_passages_are_the_result(tmp_path):
    (tmp_path / "kb_1").mkdir()
    (tmp_path / "kb_1" / "hours.md").write_text("Open from nine.")
    (tmp_path / "other.md").write_text("Open all night.")
    tool = KnowledgeBaseTool(config(target_knowledge_base_ids=["kb_1"]))

    result = tool.call({"query": "open?", "justification": "The user asks."}, context(tmp_path))

    (found,) = result.result
    assert result.success
    assert (found["text"], found["source"]) == ("Open from nine.", "kb_1/hours.md")
    assert found["score"] > 0


def test_empty_selection_searches_all_documents(tmp_path):
    (tmp_path / "other.md").write_text("Open all night.")
    tool = KnowledgeBaseTool(config(target_knowledge_base_ids=None))

    result = tool.call({"query": "open"}, context(tmp_path))

    assert [each["source"] for each in result.result] == ["other.md"]


def test_nothing_found_is_no_failure(tmp_path):
    result = KnowledgeBaseTool(config()).call({"query": "open"}, context(tmp_path))

    assert result == ToolResult(success=True, result=[])


@pytest.mark.parametrize("arguments", [{}, {"query": None}, {"query": "  "}, {"query": 5}])
def test_a_call_without_a_question_fails(tmp_path, arguments):
    result = KnowledgeBaseTool(config()).call(arguments, context(tmp_path))

    assert not result.success
    assert "needs a query" in str(result.error)


def test_missing_folder_names_expected_place(tmp_path):
    result = KnowledgeBaseTool(config()).call({"query": "open"}, context(tmp_path / "none"))

    assert not result.success
    assert str(tmp_path / "none") in str(result.error)


def test_engine_without_folder_names_the_setting():
    result = KnowledgeBaseTool(config()).call({"query": "open"}, context())

    assert not result.success
    assert "WORKFLOW_DEBUGGER_KNOWLEDGE" in str(result.error)


def test_model_gives_query_and_justification():
    made = config()

    assert set(made.args_schema["properties"]) == {"query", "justification"}
    assert made.args_schema["required"] == ["query", "justification"]
    assert made.signature
    assert made.category == "Knowledge Base"
    assert made.result_runtime_variable_name == "kb_tool_result"


def test_author_fields_win_and_null_is_default():
    schema = {"type": "object", "properties": {"query": {"type": "string"}}}

    written = config(signature="Ask.", args_schema=schema, result_runtime_variable_name="found")
    blank = config(signature=None, args_schema=None, result_runtime_variable_name=None)

    assert (written.signature, written.args_schema) == ("Ask.", schema)
    assert written.result_runtime_variable_name == "found"
    assert (blank.signature, blank.args_schema) == (config().signature, config().args_schema)
    assert blank.result_runtime_variable_name == "kb_tool_result"


def test_workflow_can_bind_the_query_only():
    query = {"argument_name": "query", "source": "literal", "literal_value": "hours"}
    other = {**query, "argument_name": "justification"}

    assert KnowledgeBaseTool(config(variable_arguments=[query]))
    with pytest.raises(RunError, match="'justification'; only 'query'"):
        KnowledgeBaseTool(config(variable_arguments=[query, other]))


def folder(root: Path, **documents: str) -> Path:
    """A folder of documents; ``__`` in a name is a folder's end, and each is a text in Markdown."""
    for name, text in documents.items():
        path = root / (name.replace("__", "/") + ".md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_matching_documents_are_ranked_best_first(tmp_path):
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


def test_search_returns_at_most_the_limit(tmp_path):
    root = folder(tmp_path, a="open", b="open", c="open")

    found = FolderSearch(root).search([], "open", 2)

    assert [passage["source"] for passage in found] == ["a.md", "b.md"]


def test_a_word_that_nothing_has_finds_nothing(tmp_path):
    root = folder(tmp_path, a="open", b="...")

    assert FolderSearch(root).search([], "unicorns", 5) == []
    assert FolderSearch(root).search([], "?!", 5) == []


def test_knowledge_base_is_folder_or_document(tmp_path):
    root = folder(tmp_path, kb_1__a="open one", kb_1__deep__b="open two", kb_2="open three", kb_3="open four")
    search = FolderSearch(root)

    found = search.search(["kb_1", "kb_2", "kb_3.md"], "open", 5)

    assert {passage["source"] for passage in found} == {"kb_1/a.md", "kb_1/deep/b.md", "kb_2.md", "kb_3.md"}
    assert [passage["source"] for passage in search.search(["kb_2"], "open", 5)] == ["kb_2.md"]


def test_hidden_and_other_files_are_skipped(tmp_path):
    root = folder(tmp_path, a="open")
    (root / ".git").mkdir()
    (root / ".git" / "b.md").write_text("open")
    (root / ".c.md").write_text("open")
    (root / "~$a.docx").write_bytes(b"\x04open")  # a lock file of Word
    (root / "d.exe").write_text("open")

    assert [passage["source"] for passage in FolderSearch(root).search([], "open", 5)] == ["a.md"]


def test_writing_without_spaces_is_searched(tmp_path):
    root = folder(tmp_path, a="我们的退货政策是三十天。", b="営業時間は九時から五時までです。")

    (chinese,) = FolderSearch(root).search([], "退货政策", 1)
    (japanese,) = FolderSearch(root).search([], "営業時間を教えて", 1)

    assert (chinese["source"], japanese["source"]) == ("a.md", "b.md")


def test_decomposed_letters_are_found(tmp_path):
    root = folder(tmp_path, a="Das Cafe\u0301 o\u0308ffnet um neun.")

    assert len(FolderSearch(root).search([], "caf\u00e9", 5)) == 1


def test_other_file_is_no_knowledge_base(tmp_path):
    (tmp_path / "menu.xml").write_text("tea", encoding="utf-8")

    with pytest.raises(KnowledgeError, match=r"There is no knowledge base 'menu\.xml'"):
        FolderSearch(tmp_path).search(["menu.xml"], "tea", 5)


def test_an_empty_folder_holds_nothing(tmp_path):
    assert FolderSearch(tmp_path).search([], "open", 5) == []


def test_missing_folder_is_reported_with_place(tmp_path):
    search = FolderSearch(tmp_path / "knowledge")

    with pytest.raises(KnowledgeError, match=r"no folder '.*knowledge'.* expected.*\.md"):
        search.search([], "open", 5)


def test_missing_knowledge_base_is_reported_with_place(tmp_path):
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


def test_overlong_name_is_reported(tmp_path):
    with pytest.raises(KnowledgeError, match="cannot be read"):
        FolderSearch(tmp_path).search(["x" * 5000], "open", 5)


def test_only_changed_documents_are_read_again(tmp_path, monkeypatch):
    read: list[str] = []
    passages = knowledge.passages
    monkeypatch.setattr(knowledge, "passages", lambda path: read.append(path.name) or passages(path))
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


def test_removed_document_is_not_found(tmp_path):
    root = folder(tmp_path, a="open", b="open")
    search = FolderSearch(root)
    search.search([], "open", 5)

    (root / "a.md").unlink()

    assert [passage["source"] for passage in search.search([], "open", 5)] == ["b.md"]


def test_too_many_documents_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(knowledge, "MAX_DOCUMENTS", 2)
    root = folder(tmp_path, kb__a="open", kb__b="open", c="open")

    with pytest.raises(KnowledgeError, match=r"hold 3 documents, of which 2 .*fewer knowledge bases"):
        FolderSearch(root).search([], "open", 5)
    assert len(FolderSearch(root).search(["kb"], "open", 5)) == 2


def test_too_many_bytes_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(knowledge, "MAX_BYTES", 1000)
    root = folder(tmp_path, a="open " * 300)

    with pytest.raises(KnowledgeError, match=r"1,500 bytes, of which 1,000 can"):
        FolderSearch(root).search([], "open", 5)


def test_concurrent_searches_read_documents_once(tmp_path, monkeypatch):
    read: list[str] = []
    passages = knowledge.passages
    monkeypatch.setattr(knowledge, "passages", lambda path: read.append(path.name) or passages(path))
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


def test_unreadable_document_fails_the_search_by_name(tmp_path):
    (tmp_path / "hours.md").write_text("Open from nine.")
    (tmp_path / "fees.pdf").write_bytes(b"no PDF")

    result = KnowledgeBaseTool(config()).call({"query": "open"}, context(tmp_path))

    assert not result.success
    assert "The document 'fees.pdf' cannot be searched: it is no PDF" in result.error
