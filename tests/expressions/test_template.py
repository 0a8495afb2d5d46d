from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugger.errors import RunError
from debugger.expressions import Scope, hydrate, placeholders, render, render_value

quick = settings(max_examples=100, deadline=None)


@pytest.mark.parametrize("text", ["", "Hello.", "{ x } [ x ]", "50 % {% if x %} {# note #}"])
def test_a_text_without_placeholders_stays_as_it_is(text):
    assert render(text, Scope(dynamic={"x": 1})) == (text, ())


def test_dynamic_and_runtime_placeholders_are_filled_in_one_text():
    scope = Scope(dynamic={"name": "Ann"}, runtime={"cups": 2})

    filled = render("{{name}} wants [[ cups ]] cups, {{ name }}.", scope)

    assert filled == ("Ann wants 2 cups, Ann.", ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{a.b}}", "2"),
        ("{{ xs[1].n }}", "20"),
        ("{{xs[-1].n}}", "20"),
        ("{{xs[i].n}}", "20"),
        ("{{xs.size}}", "2"),
        ("{{a['b']}}", "2"),
        ("{{global.tier}}", "gold"),
        ("{{\n tier\n}}", "gold"),
        ("{{ tier | upcase }}", "GOLD"),
        ("{{ tier | slice: 0, 2 | append: '!' }}", "go!"),
        ("{{ global.tier | capitalize }}", "Gold"),
        ("{{ xs | map: 'n' | join: '+' }}", "10+20"),
        ("{{ gone | default: 'none' }}", "none"),
        ("{{ gone | default: tier }}", "gold"),
        ("{{ gone | default: global.tier }}", "gold"),
        ("{{xs[global.i].n}}", "20"),
        ("{{ gone | upcase | default: '}}' }}", "}}"),
        ("{{ 'a | b' | upcase }}", "A | B"),
        ("{{ 2 | plus: i }}", "3"),
        ("{{ first name }}", "Ann"),
        ("{{ first name | append: tier }}", "Anngold"),
        ("{{ limit | default: 5 }}", "3"),
        ("{{ required | default: 5 }}", "5"),
        ("{{\u00a0tier\u00a0| upcase }}", "GOLD"),
        ("{{{tier}}}", "{gold}"),
    ],
)
def test_a_dynamic_placeholder_is_a_liquid_expression(text, expected):
    scope = Scope(
        dynamic={
            "a": {"b": 2},
            "xs": [{"n": 10}, {"n": 20}],
            "i": 1,
            "tier": "gold",
            "first name": "Ann",
            "limit": 3,
        }
    )

    assert render(text, scope) == (expected, ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[o.k[1]]]", "q"),
        ("[[[o.k[1]]]]", "[q]"),
        ("[[o.k | join: ']]']]", "1]]q"),
        ("[[o.k | last | upcase]]", "Q"),
        ("[[gone | default: 'none']]", "none"),
        ("[[Ask (again), Bob's desk.age]]", "41"),
        ("[[thread_lab.n]]", "3"),
        ("[[shared]]", "run"),
    ],
)
def test_a_runtime_placeholder_is_a_variable_and_its_filters(text, expected):
    scope = Scope(
        runtime={"o": {"k": [1, "q"]}, "Ask (again), Bob's desk.age": 41},
        threads={"lab": {"n": 3}},
        workflow={"shared": "run"},
    )

    assert render(text, scope) == (expected, ())


def test_objects_stay_closed_where_paths_are_literal():
    scope = Scope(runtime={"o": {"k": 1}}, dict_paths="literal")

    assert render("[[o.k]]", scope) == ("[[o.k]]", ("[[o.k]]",))


@pytest.mark.parametrize("brackets", ["{{%s}}", "[[%s]]"])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("it's", "it's"),
        (41, "41"),
        (0.5, "0.5"),
        (None, ""),
        (True, "true"),
        (False, "false"),
        ({"a": [1, "b", None, True]}, "{'a': [1, 'b', None, True]}"),
        ([1, "b"], "[1, 'b']"),
        ("", ""),
    ],
)
def test_how_values_are_written_into_a_text(brackets, value, expected):
    scope = Scope(dynamic={"x": value}, runtime={"x": value})

    assert render(f"<{brackets % 'x'}>", scope).text == f"<{expected}>"


@pytest.mark.parametrize(
    "placeholder",
    [
        "{{gone}}",
        "{{ gone.deeper[0] }}",
        "{{gone | upcase}}",
        "[[gone]]",
        "[[ gone | upcase ]]",
        "[[_hidden]]",
        "{{ x | }}",
        "{{ x | nope }}",
        "[[x | nope]]",
        "{{ x ! }}",
        "{{ x | default: 'unclosed }}",
        "[[x | default: 'unclosed]]",
        "{{ x | slice: 'x' }}",
        "{{ x if x }}",
        "{{ (1..99999999999) | join }}",
    ],
)
def test_a_placeholder_that_gives_nothing_stays_and_is_reported(placeholder):
    scope = Scope(dynamic={"x": 1}, runtime={"x": 1}, workflow={"_hidden": 1})

    filled = render(f"a {placeholder} b {{{{x}}}} c [[x]]", scope)

    assert filled == (f"a {placeholder} b 1 c 1", (placeholder,))


@pytest.mark.parametrize(
    "text",
    [
        "{{ unclosed",
        "[[ unclosed",
        "{{}}",
        "{{ }}",
        "[[]]",
        "[[ ]]",
        "m = [[1, 2], [3, 4]]",
        "[[1, 2]]",
        '[["a"]]',
        "[[a] ]",
    ],
)
def test_what_is_no_placeholder_is_text(text):
    assert render(text, Scope()) == (text, ())
    assert placeholders(text) == []


def test_inserted_values_are_not_filled_again():
    scope = Scope(dynamic={"a": "[[b]] {{c}}", "c": "no"}, runtime={"b": "{{c}}"})

    assert render("{{a}} [[b]]", scope) == ("[[b]] {{c}} {{c}}", ())


def test_tags_are_not_executed():
    scope = Scope(dynamic={"x": 1})

    assert render("{% if false %}{{x}}{% endif %}{% assign y = 2 %}", scope).text == (
        "{% if false %}1{% endif %}{% assign y = 2 %}"
    )


def test_placeholders_are_listed_with_their_places():
    text = "Hi {{ a.b | upcase }}: [[ thread_x.y ]] {{ broken"

    found = placeholders(text)

    assert [(one.namespace, one.path, one.text) for one in found] == [
        ("dynamic", "a.b", "{{ a.b | upcase }}"),
        ("runtime", "thread_x.y", "[[ thread_x.y ]]"),
    ]
    assert [text[one.start : one.end] for one in found] == [one.text for one in found]


# --- tool arguments --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preserve_types", "written", "expected"),
    [
        (False, "[[n]]", "41"),
        (False, "{{n}}", "42"),
        (False, "[[o]]", "{'k': [1]}"),
        (False, "[[yes]]", "true"),
        (False, "[[null]]", ""),
        (False, "[[n]] of {{n}}", "41 of 42"),
        (False, "[[gone]]", "[[gone]]"),
        (False, "{{gone}}", "{{gone}}"),
        (True, "[[n]]", 41),
        (True, "{{n}}", 42),
        (True, "[[o]]", {"k": [1]}),
        (True, "[[o.k[0]]]", 1),
        (True, "[[yes]]", True),
        (True, "[[null]]", None),
        (True, "{{ n | plus: 1 }}", 43),
        (True, "[[n]] of {{n}}", "41 of 42"),
        (True, " [[n]]", " 41"),
        (True, "[[gone]]", None),
        (True, "{{gone}}", None),
        (True, "{{ n | nope }}", None),
        (True, "n: [[gone]]", "n: [[gone]]"),
        (True, "plain", "plain"),
        (True, "", ""),
    ],
)
def test_the_type_of_a_filled_argument(preserve_types, written, expected):
    scope = Scope(runtime={"n": 41, "o": {"k": [1]}, "yes": True, "null": None}, dynamic={"n": 42})

    filled = render_value(written, scope, preserve_types=preserve_types)

    assert filled == expected
    assert type(filled) is type(expected)


def test_arguments_are_filled_however_deep_they_stand():
    arguments = {"a": [{"b": "[[n]]", "[[n]]": 5}, None, 1.5, True], "c": {"d": ["x[[n]]"]}}
    scope = Scope(runtime={"n": 41})

    assert render_value(arguments, scope, preserve_types=True) == {
        "a": [{"b": 41, "[[n]]": 5}, None, 1.5, True],
        "c": {"d": ["x41"]},
    }
    assert render_value(arguments, scope, preserve_types=False) == {
        "a": [{"b": "41", "[[n]]": 5}, None, 1.5, True],
        "c": {"d": ["x41"]},
    }
    assert arguments["c"] == {"d": ["x[[n]]"]}


# --- properties ------------------------------------------------------------------------------------------

bits = st.sampled_from(
    [
        "{{",
        "}}",
        "[[",
        "]]",
        "|",
        "a",
        "a.b",
        "x",
        " ",
        "'",
        '"',
        "upcase",
        "join: ",
        "(1..9)",
        "[0]",
        "{%",
        "-",
        "\n",
    ]
)
texts = (
    st.text()
    | st.lists(bits, max_size=15).map("".join)
    | st.lists(bits, max_size=8).map("{{ a | %s }}".__mod__)
)


@quick
@given(st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_value_leaves_json_valid(note, value):
    scope = Scope(dynamic={"note": note, "values": [value]}, runtime={"none": None})
    text = '{"\\"{{note}}\\\\": "{{note}} \\\\[[gone]]", "values": {{values}}, "none": [[none]]}'

    filled = json.loads(render(text, scope, is_json=True).text)

    assert filled == {f'"{note}\\': f"{note} \\[[gone]]", "values": [value], "none": None}


@quick
@given(texts, st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers() | st.text()))
def test_any_text_can_be_filled(text, value):
    scope = Scope(dynamic={"a": {"b": value}, "x": value}, runtime={"a": value, "a.b": value})

    filled = render(text, scope)

    assert all(one in text for one in filled.unresolved)
    assert isinstance(hydrate(text, scope), str)
    render_value({"k": [text]}, scope, preserve_types=True)


@quick
@given(texts)
def test_filling_from_nothing_changes_only_literals_and_defaults(text):
    filled = render(text, Scope())

    if len(filled.unresolved) == len(placeholders(text)):
        assert filled.text == text


@pytest.mark.parametrize(
    "text",
    [
        "[[" * 50_000,
        "{{" * 50_000,
        "{{a|'" * 20_000,
        "[[a|\"'" * 16_000,
        "[[a[" * 25_000,
        "[[" + "a" * 100_000,
        "{{" + "(" * 100_000 + "}}",
        "{{" + "[" * 1_900 + "}}",
        "{{" + "['" * 900 + "}}",
        "[[" + " " * 100_000,
        "[[1," * 25_000,
    ],
    ids=lambda text: f"{text[:6]} x {len(text)}",
)
def test_a_text_of_absurd_size_is_filled_at_once(text):
    began = time.process_time()

    assert render(text, Scope()).text == text
    assert time.process_time() - began < 1


def test_a_number_too_long_to_be_written_is_named_instead():
    scope = Scope(dynamic={"n": 10**4000})

    filled = render("It is {{ n | times: n }}.", scope)

    assert filled.text == "It is <int that cannot be written>."
    assert hydrate("{{ n | times: n }} > 1", scope) == "<int that cannot be written> > 1"


def test_a_text_that_would_fill_the_memory_is_refused_before_it_does():
    scope = Scope(runtime={"page": "x" * 1_000})

    with pytest.raises(RunError, match="longer than 10 million characters") as caught:
        render("[[page]]" * 100_000, scope)

    assert "the part that was one too many has 1000" in str(caught.value)
    assert len(str(caught.value)) < 400
