from __future__ import annotations

import pytest

from debugger.engine.tools.arguments import VariableArgument, argument_error, bind
from debugger.engine.tools.base import ToolConfig
from debugger.errors import InputError
from debugger.expressions import Scope

SCOPE = Scope(
    runtime={"cups": 2, "order": {"items": [{"tea": "Assam"}]}, "node_a.cups": 7, "gone": None},
    dynamic={"cups": 9, "shop": {"city": "Kiel"}},
    workflow={"attempts": 3, "_hidden": 1},
    threads={"side": {"mood": "good"}},
)


def test_an_argument_has_the_documented_defaults():
    argument = VariableArgument.from_wire({"argument_name": "cups", "variable_path": "cups"})

    assert argument.model_dump() == {
        "argument_name": "cups",
        "source": "auto",
        "variable_path": "cups",
        "literal_value": None,
        "default": None,
        "required": False,
        "expose_to_llm": False,
        "override_provided_value": True,
    }


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"variable_path": "x"}, "argument_name"),
        ({"argument_name": "2x", "variable_path": "x"}, "'2x' is not an identifier"),
        ({"argument_name": "", "variable_path": "x"}, "'' is not an identifier"),
        ({"argument_name": "a b", "variable_path": "x"}, "is not an identifier"),
        ({"argument_name": "class", "variable_path": "x"}, "'class' is a keyword"),
        ({"argument_name": "x", "variable_path": "x", "source": "magic"}, "source"),
        ({"argument_name": "x"}, "needs a variable_path"),
        ({"argument_name": "x", "source": "runtime", "variable_path": " "}, "needs a variable_path"),
        (
            {"argument_name": "x", "variable_path": "x", "override_provided_value": False},
            "expose_to_llm and override_provided_value false",
        ),
    ],
)
def test_invalid_argument_is_rejected_by_its_rule(fields, told):
    with pytest.raises(InputError) as caught:
        VariableArgument.from_wire(fields)

    assert told in str(caught.value)


def test_fallback_is_allowed_for_exposed_argument():
    argument = VariableArgument(
        argument_name="x", variable_path="x", expose_to_llm=True, override_provided_value=False
    )

    assert argument.override_provided_value is False


def test_duplicate_argument_name_is_rejected():
    twice = [{"argument_name": "x", "variable_path": path} for path in ("a", "b")]

    with pytest.raises(InputError, match=r"variable_arguments: .*argument_name 'x' is there more than once"):
        ToolConfig.from_wire({"type": "inline_python", "variable_arguments": twice})


def test_null_is_a_list_without_arguments():
    config = ToolConfig.from_wire({"type": "inline_python", "variable_arguments": None})

    assert config.variable_arguments == []


@pytest.mark.parametrize(
    ("source", "path", "value"),
    [
        ("auto", "cups", 2),
        ("auto", "shop.city", "Kiel"),
        ("auto", "attempts", 3),
        ("auto", "nowhere", None),
        ("runtime", "cups", 2),
        ("runtime", "shop.city", None),
        ("runtime", "order.items[0].tea", "Assam"),
        ("runtime", "order", {"items": [{"tea": "Assam"}]}),
        ("runtime", "node_a.cups", 7),
        ("runtime", "thread_side.mood", "good"),
        ("runtime", "_hidden", None),
        ("dynamic", "cups", 9),
        ("dynamic", "global.cups", 9),
        ("dynamic", "attempts", None),
    ],
)
def test_source_decides_the_lookup(source, path, value):
    argument = VariableArgument(argument_name="x", source=source, variable_path=path)

    assert bind([argument], {}, SCOPE).arguments == {"x": value}


def test_null_runtime_variable_gives_way_to_dynamic():
    argument = VariableArgument(argument_name="x", variable_path="slot", required=True)
    scope = Scope(runtime={"slot": None}, dynamic={"slot": "09:00"})

    assert bind([argument], {}, scope) == ({"x": "09:00"}, None)


@pytest.mark.parametrize("literal", [41, "[[cups]]", {"a": [1, None]}, False, None])
def test_a_literal_is_passed_as_it_is(literal):
    argument = VariableArgument(argument_name="x", source="literal", literal_value=literal)

    assert bind([argument], {}, SCOPE).arguments == {"x": literal}


@pytest.mark.parametrize("path", ["nowhere", "gone"])
def test_default_replaces_missing_and_null(path):
    argument = VariableArgument(argument_name="x", variable_path=path, default={"cups": 1})

    assert bind([argument], {}, SCOPE).arguments == {"x": {"cups": 1}}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"variable_path": "a.b"}, "neither a runtime nor a dynamic variable 'a.b' has a value"),
        ({"variable_path": "gone"}, "neither a runtime nor a dynamic variable 'gone' has a value"),
        ({"variable_path": "shop", "source": "runtime"}, "the runtime variable 'shop' has no value"),
        ({"variable_path": "gone", "source": "dynamic"}, "the dynamic variable 'gone' has no value"),
        ({"source": "literal"}, "its literal_value is null"),
    ],
)
def test_required_argument_ignores_its_default(fields, told):
    argument = VariableArgument(argument_name="x", required=True, default=1, **fields)

    bound = bind([argument], {}, SCOPE)

    assert bound.problem == f"The argument 'x' is required, but {told}."


def test_all_missing_arguments_are_reported():
    missing = [VariableArgument(argument_name=name, variable_path=name, required=True) for name in "ab"]

    problem = bind(missing, {}, SCOPE).problem

    assert "'a'" in problem
    assert "'b'" in problem


def test_required_argument_may_be_false():
    argument = VariableArgument(argument_name="x", source="literal", literal_value=0, required=True)

    assert bind([argument], {}, SCOPE) == ({"x": 0}, None)


def test_an_argument_replaces_what_the_caller_gave():
    argument = VariableArgument(argument_name="x", variable_path="cups")

    assert bind([argument], {"x": 5, "y": 6}, SCOPE).arguments == {"x": 2, "y": 6}


@pytest.mark.parametrize(("given", "value"), [({"x": 5}, 5), ({"x": 0}, 0), ({"x": None}, 2), ({}, 2)])
def test_fallback_fills_a_missing_argument(given, value):
    argument = VariableArgument(
        argument_name="x", variable_path="cups", expose_to_llm=True, override_provided_value=False
    )

    assert bind([argument], given, SCOPE).arguments == {"x": value}


def test_required_fallback_accepts_callers_value():
    argument = VariableArgument(
        argument_name="x",
        variable_path="nowhere",
        required=True,
        expose_to_llm=True,
        override_provided_value=False,
    )

    assert bind([argument], {"x": 5}, SCOPE) == ({"x": 5}, None)
    assert bind([argument], {}, SCOPE).problem is not None


def test_path_reaches_into_objects():
    argument = VariableArgument(argument_name="x", variable_path="order.items[0].tea")
    scope = Scope(runtime=SCOPE.runtime, dict_paths="literal")

    assert bind([argument], {}, scope).arguments == {"x": "Assam"}


def test_what_the_caller_gave_is_left_alone():
    given = {"x": 5}

    bind([VariableArgument(argument_name="x", variable_path="cups")], given, SCOPE)

    assert given == {"x": 5}


SCHEMA = {
    "type": "object",
    "properties": {
        "cups": {"type": "integer"},
        "guest": {"type": "object", "properties": {"name": {"type": "string"}}},
        "size": {"enum": ["small", "large"]},
    },
    "required": ["cups"],
}


@pytest.mark.parametrize("arguments", [{"cups": 1}, {"cups": 1, "other": [], "guest": {"name": "Ada"}}])
def test_arguments_that_fit_have_no_complaint(arguments):
    assert argument_error(arguments, SCHEMA) is None


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({}, "'cups' is a required property"),
        ({"cups": "two"}, "cups: 'two' is not of type 'integer'"),
        ({"cups": 1, "guest": {"name": 7}}, "guest.name: 7 is not of type 'string'"),
        ({"cups": 1, "size": "huge"}, "size: 'huge' is not one of ['small', 'large']"),
    ],
)
def test_error_names_place_and_problem(arguments, complaint):
    assert argument_error(arguments, SCHEMA) == complaint


def test_supplied_argument_is_not_missing():
    assert argument_error({}, SCHEMA, supplied={"cups"}) is None


def test_invalid_required_list_requires_nothing():
    assert argument_error({"tea": 1}, {"required": 7, "properties": {"tea": {"type": "integer"}}}) is None
    assert (
        argument_error({"tea": "x"}, {"required": 7, "properties": {"tea": {"type": "integer"}}}) is not None
    )


def test_null_is_an_absent_optional_argument():
    assert argument_error({"cups": 1, "size": None}, SCHEMA) is None
    assert argument_error({"cups": None}, SCHEMA) == "cups: None is not of type 'integer'"


def test_error_about_long_value_is_cut():
    complaint = argument_error({"cups": "x" * 10_000}, SCHEMA)

    assert complaint.startswith("cups: 'xxx")
    assert len(complaint) == 301


@pytest.mark.parametrize(
    "schema",
    [
        None,
        {"type": "nonsense"},
        {"properties": []},
        {"properties": {"cups": {"pattern": "("}}},
        {"$ref": "https://schemas.example/cups.json"},
        {"$ref": "#"},
        {"$ref": "#/$defs/none"},
    ],
)
def test_unusable_schema_accepts_everything(schema):
    assert argument_error({"cups": "two"}, schema) is None
