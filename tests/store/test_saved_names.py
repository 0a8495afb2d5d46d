from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import insert

from debugger.errors import InputError, NotFoundError, StoreError
from debugger.store import Store
from debugger.store.edited_tables import NEVER_WRITTEN
from debugger.store.schema import export_presets


def test_filters_are_saved_replaced_and_deleted(store):
    first = store.saved_filters.save("  Failed   today ", {"runs_status": "failed"}, expected=NEVER_WRITTEN)
    aborted = store.saved_filters.save("aborted", {"runs_status": "cancelled"}, expected=NEVER_WRITTEN)
    store.saved_filters.save("Failed today", {"runs_text": "tëa"}, expected=first.revision)

    assert store.saved_filters.all() == {
        "aborted": {"runs_status": "cancelled"},
        "Failed today": {"runs_text": "tëa"},
    }

    store.saved_filters.delete("aborted", expected=aborted.revision)

    assert list(store.saved_filters.all()) == ["Failed today"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 81])
def test_name_of_a_filter_has_a_length(store, name):
    with pytest.raises(InputError, match="1 to 80 characters"):
        store.saved_filters.save(name, {}, expected=NEVER_WRITTEN)


def test_unknown_filter_cannot_be_deleted(store):
    with pytest.raises(NotFoundError):
        store.saved_filters.delete("gone", expected=NEVER_WRITTEN)


def test_preset_is_read_as_saved(url):
    with closing(Store(url)) as store:
        store.export_presets.save(
            "weekly  Review", {"format": "csv", "columns": ["Ärger", "🫖"]}, expected=NEVER_WRITTEN
        )
        store.export_presets.save("Audit", {"format": "xlsx"}, expected=NEVER_WRITTEN)

    with closing(Store(url)) as store:
        assert store.export_presets.all() == {
            "Audit": {"format": "xlsx"},
            "weekly Review": {"format": "csv", "columns": ["Ärger", "🫖"]},
        }


def test_preset_of_the_same_name_is_replaced(store):
    first = store.export_presets.save("Audit", {"format": "csv"}, expected=NEVER_WRITTEN)
    store.export_presets.save("Audit", {"format": "html"}, expected=first.revision)

    assert store.export_presets.all() == {"Audit": {"format": "html"}}


def test_preset_is_deleted_once(store):
    saved = store.export_presets.save("Audit", {}, expected=NEVER_WRITTEN)
    store.export_presets.delete("Audit", expected=saved.revision)

    assert store.export_presets.all() == {}
    with pytest.raises(NotFoundError, match="There is no preset 'Audit'"):
        store.export_presets.delete("Audit", expected=saved.revision)


@pytest.mark.parametrize("name", ["", "  ", "x" * 81])
def test_name_of_a_preset_has_a_length(store, name):
    with pytest.raises(InputError, match="has 1 to 80 characters"):
        store.export_presets.save(name, {}, expected=NEVER_WRITTEN)


@pytest.mark.parametrize("text", ["[]", "{"])
def test_changed_preset_is_told(store, text):
    with store._database.writing() as connection:
        connection.execute(insert(export_presets).values(name="Audit", settings=text, updated_at=1.0))

    with pytest.raises(StoreError, match="The export preset 'Audit'"):
        store.export_presets.all()
