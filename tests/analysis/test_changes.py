from __future__ import annotations

from debugger.analysis.changes import Change, changes


def test_what_came_went_and_changed_is_told_apart():
    found = changes(
        {"tea": "Assam", "sugar": 1, "cup": "blue"}, {"tea": "Darjeeling", "cup": "blue", "milk": True}
    )

    assert found == [
        Change("tea", "Assam", "Darjeeling", "changed"),
        Change("sugar", 1, None, "removed"),
        Change("milk", None, True, "added"),
    ]


def test_objects_and_lists_are_gone_into():
    before = {"order": {"teas": [{"name": "Assam"}, {"name": "Oolong"}], "paid": False}}
    after = {"order": {"teas": [{"name": "Assam"}, {"name": "Sencha"}, {"name": "Mate"}], "paid": False}}

    assert changes(before, after) == [
        Change("order.teas[1].name", "Oolong", "Sencha", "changed"),
        Change("order.teas[2]", None, {"name": "Mate"}, "added"),
    ]


def test_a_shorter_list_lost_its_last_values():
    assert changes({"xs": [1, 2]}, {"xs": [1]}) == [Change("xs[1]", 2, None, "removed")]


def test_a_value_of_another_kind_is_one_change():
    assert changes({"a": {"b": 1}}, {"a": "b"}) == [Change("a", {"b": 1}, "b", "changed")]


def test_true_is_not_one_and_null_is_not_absent():
    assert changes({"a": 1, "b": None}, {"a": True}) == [
        Change("a", 1, True, "changed"),
        Change("b", None, None, "removed"),
    ]


def test_equal_objects_have_no_changes():
    assert changes({"a": [1, {"b": 2.0}]}, {"a": [1, {"b": 2}]}) == []
