from __future__ import annotations

import pytest

from debugger.engine.nodes.connectors.google_documents import document_id, with_text


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1a-B_c", "1a-B_c"),
        ("https://docs.google.com/document/d/1aB/edit?tab=t.0#h", "1aB"),
        ("https://docs.google.com/document/u/0/d/1aB", "1aB"),
    ],
)
def test_a_document_is_named_by_id_or_url(written, expected):
    assert document_id(written) == expected


@pytest.mark.parametrize(
    ("index", "expected"), [(None, "abcX"), (0, "Xabc"), (1, "Xabc"), (3, "abXc"), (99, "abcX")]
)
def test_a_text_goes_where_google_counts_to(index, expected):
    assert with_text("abc", "X", index) == expected
