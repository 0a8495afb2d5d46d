from __future__ import annotations

from contextlib import closing

import pytest

from debugger.errors import ConflictError, InputError, NotFoundError, StoreError
from debugger.store import Store

BLANK = {"is_secret": False, "value": "", "description": None, "category": None}


@pytest.fixture
def variables(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/runs.sqlite3", encryption_key="a long text")
    yield store.globals
    store.close()


@pytest.mark.parametrize("value", ["ü", 2**70, 0.1, True, None, [1, {"a": []}], {"b": 1, "a": 2}])
def test_a_value_of_any_kind_comes_back(variables, value):
    made = variables.create({**BLANK, "name": "x", "value": value})

    assert made.value == value
    assert type(variables.get(made.id).value) is type(value)


def test_what_is_left_out_of_a_change_stays(variables):
    made = variables.create({**BLANK, "name": "x", "value": 1, "category": "Shop"})

    changed = variables.change(made.id, {"value": 2})

    assert (changed.name, changed.value, changed.category) == ("x", 2, "Shop")
    assert changed.created_at == made.created_at


def test_a_name_is_taken_once(variables):
    one, other = (variables.create({**BLANK, "name": name}) for name in ("one", "other"))

    with pytest.raises(ConflictError, match="'one'"):
        variables.create({**BLANK, "name": "one"})
    with pytest.raises(ConflictError, match="'one'"):
        variables.change(other.id, {"name": "one"})
    assert variables.change(one.id, {"name": "one"}).name == "one"


def test_they_are_listed_by_name_page_by_page(variables):
    for name in "dbca":
        variables.create({**BLANK, "name": name, "category": "odd" if name in "ab" else None})

    rows, total = variables.page(None, 2, 3)

    assert ([row.name for row in rows], total) == (["d"], 4)
    assert [row.name for row in variables.page("odd", 1, 10)[0]] == ["a", "b"]
    assert [row.name for row in variables.all()] == list("abcd")


def test_value_is_not_in_repr(variables):
    made = variables.create({**BLANK, "name": "x", "value": "hunter2", "is_secret": True})

    assert "hunter2" not in repr(made)


def test_secret_is_encrypted_at_rest(variables, tmp_path):
    made = variables.create({**BLANK, "name": "x", "value": "hunter2", "is_secret": True})
    other = variables.create({**BLANK, "name": "y", "value": "hunter2"})
    variables.change(other.id, {"is_secret": True})
    variables.change(made.id, {"value": "hunter3"})

    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())

    assert variables.get(made.id).value == "hunter3"
    assert variables.get(other.id).value == "hunter2"
    assert b"hunter3" not in kept
    assert variables.change(made.id, {"is_secret": False}).value == "hunter3"


def test_secret_without_key_is_rejected(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path}/runs.sqlite3")) as store:
        with pytest.raises(InputError, match="no key"):
            store.globals.create({**BLANK, "name": "x", "value": "hunter2", "is_secret": True})

        assert store.globals.all() == []


def test_secret_with_lost_key_can_be_replaced(tmp_path):
    url = f"sqlite:///{tmp_path}/runs.sqlite3"
    with closing(Store(url, encryption_key="a long text")) as store:
        one, other = (
            store.globals.create({**BLANK, "name": name, "value": "hunter2", "is_secret": True})
            for name in ("one", "other")
        )

    with closing(Store(url, encryption_key="another")) as store:
        assert [row.name for row in store.globals.all()] == ["one", "other"]
        with pytest.raises(StoreError, match="cannot be read with the key"):
            _ = store.globals.get(one.id).value
        assert store.globals.change(one.id, {"value": "hunter3"}).value == "hunter3"
        store.globals.delete(other.id)


def test_new_plain_value_replaces_lost_secret(tmp_path):
    url = f"sqlite:///{tmp_path}/runs.sqlite3"
    with closing(Store(url, encryption_key="a long text")) as store:
        lost = store.globals.create({**BLANK, "name": "x", "value": "hunter2", "is_secret": True})

    with closing(Store(url, encryption_key="another")) as store:
        changed = store.globals.change(lost.id, {"is_secret": False, "value": "Bath"})

    assert (changed.value, changed.is_secret) == ("Bath", False)


def test_what_is_deleted_is_gone(variables):
    made = variables.create({**BLANK, "name": "x"})

    variables.delete(made.id)

    for asked in (variables.get, variables.delete, lambda one: variables.change(one, {})):
        with pytest.raises(NotFoundError):
            asked(made.id)
