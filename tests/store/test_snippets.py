from __future__ import annotations

from debugger.protocol.json_codec import encode
from debugger.protocol.notes import Target
from debugger.protocol.runs import RunSearch
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.store.snippets import Snippet, snippet_of
from tests.store.test_retention import keep


def test_snippets_name_the_first_place_of_each_word(store):
    events = [{"type": "assistant_response", "content": "Which TEA would you like, green or black?"}]
    said = keep(store, 2, events_json=encode(events))
    noted = keep(store, 1)
    store.notes.write(noted, "Asks for tea twice", expected=NEVER_WRITTEN)
    store.notes.comment(noted, Target(), "ada", "No green one")
    found = store.runs(search=RunSearch(text="tea green"))

    snippets = store.snippets.read_snippets([run.workflow_run_id for run in found.rows], ["tea", "green"])

    assert [(snippet.place, snippet.word) for snippet in snippets[said]] == [
        ("said", "tea"),
        ("said", "green"),
    ]
    assert snippets[noted] == [
        Snippet("note", "Asks for ", "tea", " twice"),
        Snippet("comment", "No ", "green", " one"),
    ]


def test_snippet_is_cut_on_both_sides():
    snippet = snippet_of("said", "x" * 100 + "Tea" + "y" * 100, "tea")

    assert snippet == Snippet("said", "…" + "x" * 36, "Tea", "y" * 36 + "…")


def test_snippet_counts_letters_that_grow():
    text = "İSTANBUL, İzmir: tea İ"

    found = [snippet_of("note", text, word.lower()) for word in ("tea", "İzmir")]

    assert found == [
        Snippet("note", "İSTANBUL, İzmir: ", "tea", " İ"),
        Snippet("note", "İSTANBUL, ", "İzmir", ": tea İ"),
    ]


def test_absent_word_has_no_snippet():
    assert snippet_of("said", "coffee", "tea") is None
