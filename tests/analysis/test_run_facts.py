from __future__ import annotations

from debugger.analysis.run_facts import EdgeUse, RunSummary, summarize
from debugger.graph.graph import Graph
from debugger.protocol.json_codec import decode, encode
from tests.analysis.played import played_turns
from tests.support.factories import direct, node, static, when, workflow
from tests.support.short_turns import at, hears, speaks, transition, turn

GRAPH = Graph(
    workflow(
        node("desk", "say_llm"),
        node("book", "say_llm"),
        node("bye", "say_static"),
        when("desk", "book"),
        when("book", "bye"),
    )
)


def call(node_id, at_seconds, answer, prompt, completion):
    usage = {"llm_response_id": answer, "prompt_tokens": prompt, "completion_tokens": completion}
    return at(node_id, "say_llm", llm_usage_info=usage, timestamp=at_seconds)


def test_summary_tells_words_times_tokens_and_path():
    turns = [
        turn(
            1,
            "I need a vet",
            hears("desk", "I need a vet"),
            at("desk", timestamp=100.0),
            call("desk", 101.0, "a", 10, 2),
            call("desk", 101.5, "a", 10, 5),
            speaks("desk", "For which animal?"),
            transition("desk", "book", "book"),
            at("book", timestamp=102.0),
        ),
        turn(
            2, "A cat", hears("book", "A cat"), at("book", timestamp=160.0), call("book", 161.0, "b", 20, 1)
        ),
    ]

    summary = summarize(turns, GRAPH)

    assert (summary.first_words, summary.last_words) == ("I need a vet", "A cat")
    assert (summary.turns, summary.problems, summary.error_type) == (2, 0, "")
    assert summary.duration_ms == 61_000
    assert (summary.prompt_tokens, summary.completion_tokens) == (30, 6)
    assert summary.path == ("desk", "book")
    assert summary.visits == {"desk": 1, "book": 2}
    assert summary.edges == {"edge_desk_book": EdgeUse("desk", "book", "book", 1)}
    assert summary.last_node == "book"
    assert summary.names == {"desk": "Desk", "book": "Book"}
    assert RunSummary.from_json(decode(encode(summary.to_json()))) == summary


def test_summary_counts_failures_and_names_unknown_nodes():
    turns = [
        turn(
            1,
            None,
            at("desk"),
            transition("desk", "gone"),
            at("gone"),
            at("gone", "end_node_run", run_output={"success": False}),
            {"type": "workflow_warning", "trouble": {"kind": "configuration"}},
            {"type": "workflow_warning", "trouble": {"kind": "model", "node": "gone"}},
            {"type": "workflow_warning", "warning_message": "of a hosted run"},
            {"type": "workflow_error", "error_message": "No model"},
        )
    ]

    summary = summarize(turns, GRAPH)

    assert (summary.failures, summary.problems) == (3, 4)
    assert summary.troubles == {"node": 1, "configuration": 1, "model": 1, "unknown": 1, "error": 1}
    assert summary.error_type == "workflow_error"
    assert summary.last_node == "gone"
    assert summary.names["gone"] == "Gone"
    assert summary.first_words == ""


def test_path_continues_behind_skipped_node():
    graph, turns = played_turns(
        static("a", "Hello"),
        static("b", "Off", disabled=True),
        static("c", "More"),
        static("d", "Bye"),
        direct("a", "b"),
        direct("b", "c"),
        direct("c", "d"),
    )

    assert summarize(turns, graph).path == ("a", "b", "c", "d")


def test_run_without_turns_has_an_empty_summary():
    assert summarize([], GRAPH) == RunSummary()
