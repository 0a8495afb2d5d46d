from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import insert

from debugger.errors import InputError, NotFoundError, StoreError
from debugger.store import Store
from debugger.store.schema import export_presets


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
def test_name_of_a_filter_has_a_length(store, name):
    with pytest.raises(InputError, match="1 to 80 characters"):
        store.saved_filters.save(name, {})


def test_unknown_filter_cannot_be_deleted(store):
    with pytest.raises(NotFoundError):
        store.saved_filters.delete("gone")


def test_preset_is_read_as_saved(url):
    with closing(Store(url)) as store:
        store.export_presets.save("weekly  Review", {"format": "csv", "columns": ["Ärger", "🫖"]})
        store.export_presets.save("Audit", {"format": "xlsx"})

    with closing(Store(url)) as store:
        assert store.export_presets.all() == {
            "Audit": {"format": "xlsx"},
            "weekly Review": {"format": "csv", "columns": ["Ärger", "🫖"]},
        }


def test_preset_of_the_same_name_is_replaced(store):
    store.export_presets.save("Audit", {"format": "csv"})
    store.export_presets.save("Audit", {"format": "html"})

    assert store.export_presets.all() == {"Audit": {"format": "html"}}


def test_preset_is_deleted_once(store):
    store.export_presets.save("Audit", {})
    store.export_presets.delete("Audit")

    assert store.export_presets.all() == {}
    with pytest.raises(NotFoundError, match="There is no preset 'Audit'"):
        store.export_presets.delete("Audit")


@pytest.mark.parametrize("name", ["", "  ", "x" * 81])
def test_name_of_a_preset_has_a_length(store, name):
    with pytest.raises(InputError, match="has 1 to 80 characters"):
        store.export_presets.save(name, {})


@pytest.mark.parametrize("text", ["[]", "{"])
def test_changed_preset_is_told(store, text):
    with store._database.writing() as connection:
        connection.execute(insert(export_presets).values(name="Audit", settings=text, updated_at=1.0))

    with pytest.raises(StoreError, match="The export preset 'Audit'"):
        store.export_presets.all()
