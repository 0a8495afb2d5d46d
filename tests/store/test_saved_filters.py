from __future__ import annotations

import pytest

from debugger.errors import InputError, NotFoundError


def test_filters_are_saved_replaced_and_deleted(store):
    store.saved_filters.save("  Failed   today ", {"runs_status": "failed"})
    store.saved_filters.save("aborted", {"runs_status": "cancelled"})
    store.saved_filters.save("Failed today", {"runs_text": "tëa"})

    assert store.saved_filters.all() == {
        "aborted": {"runs_status": "cancelled"},
        "Failed today": {"runs_text": "tëa"},
    }

    store.saved_filters.delete("aborted")

    assert list(store.saved_filters.all()) == ["Failed today"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 81])
def test_names_have_a_length(store, name):
    with pytest.raises(InputError, match="1 to 80 characters"):
        store.saved_filters.save(name, {})


def test_unknown_filter_cannot_be_deleted(store):
    with pytest.raises(NotFoundError):
        store.saved_filters.delete("gone")
