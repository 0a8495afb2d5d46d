from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugger.expressions import ABSENT, Scope, lookup

quick = settings(max_examples=100, deadline=None)


def test_a_plain_name_is_looked_up():
    scope = Scope(runtime={"x": 1}, dynamic={"x": 2})

    assert lookup(scope, "runtime", "x") == 1
    assert lookup(scope, "dynamic", "x") == 2


def test_what_is_not_there_is_absent_and_null_is_not():
    scope = Scope(runtime={"null": None}, dynamic={"null": None})

    assert lookup(scope, "runtime", "null") is None
    assert lookup(scope, "dynamic", "null") is None
    assert lookup(scope, "runtime", "x") is ABSENT
    assert lookup(scope, "dynamic", "x") is ABSENT


@pytest.mark.parametrize("namespace", ["runtime", "dynamic"])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.b[0].c", "deep"),
        ("a.b[-1].c", "last"),
        ("a['b'][0]['c']", "deep"),
        ('a["key with . and ]"]', "odd"),
        ("a.b[ 1 ]", {"c": "last"}),
        ("xs[1][0]", "y"),
        ("a.null", None),
        ("a.null.more", ABSENT),
        ("a.b[2]", ABSENT),
        ("a.b[-3]", ABSENT),
        ("a.b.c", ABSENT),
        ("a[0]", ABSENT),
        ("a.text[0]", ABSENT),
        ("a.text.more", ABSENT),
        ("a.gone.c", ABSENT),
        ("a.b.size", 2),
        ("a.text.size", 4),
        ("xs.first", "x"),
        ("xs.last[0]", "y"),
        ("own.size", "mine"),
        ("empty.first", ABSENT),
    ],
)
def test_a_path_reaches_into_objects_and_lists(namespace, path, expected):
    value = {
        "a": {
            "b": [{"c": "deep"}, {"c": "last"}],
            "key with . and ]": "odd",
            "null": None,
            "text": "word",
        },
        "xs": ["x", ["y"]],
        "own": {"size": "mine"},
        "empty": [],
    }
    scope = Scope(runtime=value, dynamic=value)

    assert lookup(scope, namespace, path) == expected


@pytest.mark.parametrize(
    "path", ["", ".", ".a", "a.", "a..b", "a[", "a[]", "a[b]", "a]", "[0]", "a[1", "a[99999999999]"]
)
def test_a_path_that_makes_no_sense_is_absent(path):
    scope = Scope(runtime={"a": {"b": 1}}, dynamic={"a": {"b": 1}})

    assert lookup(scope, "runtime", path) is ABSENT
    assert lookup(scope, "dynamic", path) is ABSENT


def test_the_longest_key_wins_over_reaching_into_an_object():
    scope = Scope(
        runtime={
            "a": {"b": {"c": "reached", "d": "only here", "e": "reached"}},
            "a.b": {"c": "shorter", "e": "longer"},
            "a.b.c": "whole",
            "a.x": {"y": 1},
        }
    )

    assert lookup(scope, "runtime", "a.b.c") == "whole"
    assert lookup(scope, "runtime", "a.b") == {"c": "shorter", "e": "longer"}
    assert lookup(scope, "runtime", "a.b.e") == "longer"
    assert lookup(scope, "runtime", "a.x.y") == 1
    assert lookup(scope, "runtime", "a.b.d") == "only here"


def test_a_key_may_begin_with_the_name_of_a_node():
    scope = Scope(runtime={"Price it, please (v2).price": {"total": 9}, "odd..name": 1})

    assert lookup(scope, "runtime", "Price it, please (v2).price.total") == 9
    assert lookup(scope, "runtime", "odd..name") == 1


def test_literal_paths_leave_objects_closed_but_find_keys_with_dots():
    scope = Scope(
        runtime={"a": {"b": 1}, "node.x": 2, "xs": [1]},
        dynamic={"a": {"b": 3}},
        threads={"lab": {"o": {"p": 1}, "q": 4}},
        workflow={"w": {"v": 1}},
        dict_paths="literal",
    )

    assert lookup(scope, "runtime", "a.b") is ABSENT
    assert lookup(scope, "runtime", "xs[0]") is ABSENT
    assert lookup(scope, "runtime", "thread_lab.o.p") is ABSENT
    assert lookup(scope, "runtime", "w.v") is ABSENT
    assert lookup(scope, "runtime", "node.x") == 2
    assert lookup(scope, "runtime", "thread_lab.q") == 4
    assert lookup(scope, "dynamic", "a.b") == 3


def test_another_threads_variable_is_named_by_its_reference_id():
    scope = Scope(threads={"0": {"x": 1}, "lab-2": {"a.b": 2, "o": {"p": [3]}}})

    assert lookup(scope, "runtime", "thread_0.x") == 1
    assert lookup(scope, "runtime", "thread_lab-2.a.b") == 2
    assert lookup(scope, "runtime", "thread_lab-2.o.p[0]") == 3
    assert lookup(scope, "runtime", "thread_lab-2.gone") is ABSENT
    assert lookup(scope, "runtime", "thread_unknown.x") is ABSENT


def test_a_threads_own_variable_wins_over_other_threads_and_over_the_run():
    scope = Scope(
        runtime={"thread_0.x": "own", "w": "own"},
        threads={"0": {"x": "theirs", "y": "theirs"}},
        workflow={"w": "run", "v": {"k": "run"}, "thread_0.y": "run", "thread_0.z": "run"},
    )

    assert lookup(scope, "runtime", "thread_0.x") == "own"
    assert lookup(scope, "runtime", "w") == "own"
    assert lookup(scope, "runtime", "thread_0.y") == "theirs"
    assert lookup(scope, "runtime", "thread_0.z") == "run"
    assert lookup(scope, "runtime", "v.k") == "run"


def test_run_wide_names_that_begin_with_an_underscore_are_hidden():
    scope = Scope(runtime={"_own": 1}, workflow={"_hidden": 1, "_h": {"k": 1}})

    assert lookup(scope, "runtime", "_hidden") is ABSENT
    assert lookup(scope, "runtime", "_h.k") is ABSENT
    assert lookup(scope, "runtime", "_own") == 1


def test_a_global_is_found_as_written_or_by_its_bare_name():
    scope = Scope(dynamic={"tier": "bare", "city": {"zip": 1}, "global": {"own": "as written", "tier": None}})

    assert lookup(scope, "dynamic", "global.own") == "as written"
    assert lookup(scope, "dynamic", "global.tier") is None
    assert lookup(scope, "dynamic", "global.city.zip") == 1
    assert lookup(scope, "dynamic", "global.gone") is ABSENT
    assert lookup(scope, "runtime", "global.tier") is ABSENT


def test_any_mapping_will_do():
    frozen = MappingProxyType({"a": MappingProxyType({"b": (1, 2)})})

    assert lookup(Scope(runtime=frozen), "runtime", "a.b[1]") == 2


@quick
@given(st.text() | st.text(alphabet="a.[]0'\"-thread_", max_size=20))
def test_any_text_can_be_looked_up(path):
    scope = Scope(runtime={"a": {"a": [0]}}, dynamic={"a": [[0]]}, threads={"a": {"a": 1}})

    for namespace in ("runtime", "dynamic"):
        assert lookup(scope, namespace, path) in ({"a": [0]}, [0], 0, [[0]], 1, ABSENT)


@quick
@given(st.lists(st.sampled_from(["a", "b c", "é", 0, 1]), max_size=5))
def test_every_value_is_found_at_its_path(steps):
    value: object = "found"
    for step in reversed(steps):
        value = {step: value} if isinstance(step, str) else [None] * step + [value]
    path = "root" + "".join(f".{step}" if isinstance(step, str) else f"[{step}]" for step in steps)

    assert lookup(Scope(runtime={"root": value}), "runtime", path) == "found"
