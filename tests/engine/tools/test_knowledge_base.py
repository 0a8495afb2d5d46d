from __future__ import annotations

import pytest

from debugger.engine.options import EngineOptions
from debugger.engine.tools.base import ToolContext, ToolResult
from debugger.engine.tools.knowledge_base import KnowledgeBaseConfig, KnowledgeBaseTool
from debugger.errors import RunError
from debugger.expressions import Scope


def config(**fields: object) -> KnowledgeBaseConfig:
    return KnowledgeBaseConfig.from_wire({"type": "knowledge_base", "name": "kb", **fields})


def context(folder: object = None) -> ToolContext:
    return ToolContext(scope=Scope(), timeout=5, options=EngineOptions(knowledge_folder=folder))


def test_the_passages_that_fit_the_question_are_the_result(tmp_path):
    (tmp_path / "kb_1").mkdir()
    (tmp_path / "kb_1" / "hours.md").write_text("Open from nine.")
    (tmp_path / "other.md").write_text("Open all night.")
    tool = KnowledgeBaseTool(config(target_knowledge_base_ids=["kb_1"]))

    result = tool.call({"query": "open?", "justification": "The user asks."}, context(tmp_path))

    (found,) = result.result
    assert result.success
    assert (found["text"], found["source"]) == ("Open from nine.", "kb_1/hours.md")
    assert found["score"] > 0


def test_all_documents_are_searched_where_no_knowledge_base_is_named(tmp_path):
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


def test_a_missing_folder_is_a_failure_that_says_where_it_should_be(tmp_path):
    result = KnowledgeBaseTool(config()).call({"query": "open"}, context(tmp_path / "none"))

    assert not result.success
    assert str(tmp_path / "none") in str(result.error)


def test_an_engine_without_a_folder_says_how_to_give_it_one():
    result = KnowledgeBaseTool(config()).call({"query": "open"}, context())

    assert not result.success
    assert "WORKFLOW_DEBUGGER_KNOWLEDGE" in str(result.error)


def test_another_search_can_be_put_in():
    class Remembered:
        def search(self, kb_ids, query, limit):
            return [{"text": f"{query} in {','.join(kb_ids)}", "source": "memory", "score": 1.0}][:limit]

    tool = KnowledgeBaseTool(config(target_knowledge_base_ids=["a", "b"]), Remembered())

    result = tool.call({"query": "open"}, context())

    assert result.result == [{"text": "open in a,b", "source": "memory", "score": 1.0}]


def test_a_model_is_asked_for_a_query_and_a_justification():
    made = config()

    assert set(made.args_schema["properties"]) == {"query", "justification"}
    assert made.args_schema["required"] == ["query", "justification"]
    assert made.signature
    assert made.category == "Knowledge Base"
    assert made.result_runtime_variable_name == "kb_tool_result"


def test_what_the_author_wrote_wins_and_null_is_nothing():
    schema = {"type": "object", "properties": {"query": {"type": "string"}}}

    written = config(signature="Ask.", args_schema=schema, result_runtime_variable_name="found")
    blank = config(signature=None, args_schema=None, result_runtime_variable_name=None)

    assert (written.signature, written.args_schema) == ("Ask.", schema)
    assert written.result_runtime_variable_name == "found"
    assert (blank.signature, blank.args_schema) == (config().signature, config().args_schema)
    assert blank.result_runtime_variable_name == "kb_tool_result"


def test_only_the_query_can_be_set_by_the_workflow():
    query = {"argument_name": "query", "source": "literal", "literal_value": "hours"}
    other = {**query, "argument_name": "justification"}

    assert KnowledgeBaseTool(config(variable_arguments=[query]))
    with pytest.raises(RunError, match="'justification'; only 'query'"):
        KnowledgeBaseTool(config(variable_arguments=[query, other]))
