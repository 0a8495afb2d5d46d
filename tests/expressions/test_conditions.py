from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugger.errors import ConditionError, ExpressionError
from debugger.expressions import ABSENT, Condition, ConditionResult, Scope, hydrate, lookup, parse
from debugger.expressions.parser import FILTERS
from debugger.expressions.syntax import (
    And,
    Call,
    Comparison,
    Constant,
    FilterCall,
    Node,
    Not,
    Or,
    Reference,
    Value,
)

quick = settings(max_examples=100, deadline=None)


def holds(text: str, **runtime: Any) -> bool:
    return parse(text).evaluate(Scope(runtime=runtime)).value


def error_of(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert caught.value.text == text
    return caught.value


# --- what a condition says -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[n]] == 3", True),
        ("[[n]] != 3", False),
        ("[[n]] < 4", True),
        ("[[n]] <= 3", True),
        ("[[n]] > 3", False),
        ("[[n]] >= 3", True),
        ("[[n]] == 3.0", True),
        ("-3 < [[n]]", True),
        ("[[n]] > -0.5", True),
        ("[[n]] < 1e2", True),
    ],
)
def test_numbers_compare_by_size(text, expected):
    assert holds(text, n=3) is expected


@pytest.mark.parametrize("sign", ["==", "!=", "<", "<=", ">", ">="])
def test_a_comparison_with_something_absent_is_false(sign):
    assert holds(f"[[nothing]] {sign} 3") is False
    assert holds(f"3 {sign} [[nothing]]") is False
    assert holds(f"[[nothing]] {sign} {{{{nothing}}}}") is False


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">="])
def test_an_absent_operand_of_an_ordering_gives_one_warning(sign):
    text = f"isPresent([[n]]) AND [[age]] {sign} 3"

    verdict = parse(text).evaluate(Scope(runtime={"n": 1}))

    assert verdict.value is False
    assert verdict.warnings == (
        f"[[age]] has no value, so [[age]] {sign} 3 is false in the condition {text}",
    )


def test_null_in_an_ordering_counts_as_absent():
    verdict = parse("[[age]] < 3").evaluate(Scope(runtime={"age": None}))

    assert verdict.value is False
    assert len(verdict.warnings) == 1


@pytest.mark.parametrize("sign", ["==", "!="])
def test_an_absent_operand_of_an_equality_gives_no_warning(sign):
    assert parse(f"[[age]] {sign} 3").evaluate(Scope()) == ConditionResult(False)


def test_a_comparison_that_is_not_reached_gives_no_warning():
    scope = Scope(runtime={"n": 1})

    assert parse("[[n]] == 1 OR [[age]] > 3").evaluate(scope) == ConditionResult(True)
    assert parse("[[n]] == 2 AND [[age]] > 3").evaluate(scope) == ConditionResult(False)


def test_and_and_or_stop_at_the_part_that_decides():
    assert holds("true OR 'a' < 3")
    assert not holds("false AND 'a' < 3")


def test_not_over_an_absent_comparison_is_true():
    assert holds("NOT [[nothing]] == 3")
    assert holds("NOT [[nothing]] < 3")


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (3, "3", True),
        ("3", 3, True),
        (3, " 3.0 ", True),
        ("07", 7, True),
        ("+7", 7, True),
        ("1.0", "1", True),
        ("007", "7", False),
        ("+7", "7", False),
        (3, "3a", False),
        (3, "", False),
        (1, "1_0", False),
        (3, "٣", False),
        (10**30, str(10**30), True),
        (1, "9" * 5000, False),
    ],
)
def test_a_number_equals_a_text_that_reads_as_it(left, right, expected):
    assert holds("[[left]] == [[right]]", left=left, right=right) is expected
    assert holds("[[left]] != [[right]]", left=left, right=right) is not expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (9, "10", True),
        ("9", "10", True),
        ("09", 10, True),
        ("a", "b", True),
        ("B", "a", True),
        ("b", "a", False),
    ],
)
def test_an_ordering_is_numeric_if_both_sides_read_as_numbers_and_by_characters_otherwise(
    left, right, expected
):
    assert holds("[[left]] < [[right]]", left=left, right=right) is expected


def test_texts_compare_case_sensitively():
    assert holds("[[x]] == 'Gold'", x="Gold")
    assert not holds("[[x]] == 'gold'", x="Gold")


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        (True, "[[x]] == true", True),
        (True, "[[x]] == 'true'", True),
        ("true", "[[x]] == true", True),
        ("True", "[[x]] == true", True),
        (False, "[[x]] == 'FALSE'", True),
        (False, "[[x]] == true", False),
        (True, "[[x]] == 1", False),
        (True, "[[x]] == 'yes'", False),
        (True, "[[x]] != 'yes'", True),
        (True, "[[x]] == null", False),
    ],
)
def test_booleans_equal_the_texts_true_and_false(value, text, expected):
    assert holds(text, x=value) is expected


def test_null_equals_only_null():
    assert holds("[[x]] == null", x=None)
    assert holds("[[x]] != 'a'", x=None)
    assert not holds("[[x]] == ''", x=None)
    assert not holds("[[nothing]] == null")


def test_lists_and_objects_equal_what_has_the_same_content():
    assert holds("[[a]] == [[b]]", a=[1, {"k": []}], b=[1, {"k": []}])
    assert holds("[[a]] != [[b]]", a=[1], b=[2])
    assert not holds("[[a]] == 'x'", a=["x"])


@pytest.mark.parametrize(
    ("value", "present", "empty"),
    [
        (ABSENT, False, True),
        (None, False, True),
        ("", True, True),
        ([], True, True),
        ({}, True, True),
        (" ", True, False),
        ([None], True, False),
        ({"k": None}, True, False),
        (0, True, False),
        (False, True, False),
    ],
)
def test_the_four_functions(value, present, empty):
    runtime = {} if value is ABSENT else {"x": value}

    assert holds("isPresent([[x]])", **runtime) is present
    assert holds("isAbsent([[x]])", **runtime) is not present
    assert holds("isEmpty([[x]])", **runtime) is empty
    assert holds("isNonEmpty([[x]])", **runtime) is not empty


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        ("yes", True),
        (2, True),
        ([0], True),
        (False, False),
        ("false", False),
        ("False", False),
        ("", False),
        (0, False),
        (None, False),
        ([], False),
        ({}, False),
    ],
)
def test_a_value_alone_is_a_condition(value, expected):
    assert holds("[[x]]", x=value) is expected
    assert holds("NOT [[x]]", x=value) is not expected


def test_an_absent_value_alone_does_not_hold():
    assert not holds("[[x]]")


def test_not_binds_closer_than_and_and_and_closer_than_or():
    assert holds("true OR false AND false")
    assert not holds("(true OR false) AND false")
    assert holds("NOT false OR true")
    assert not holds("NOT (false OR true)")
    assert not holds("NOT true AND false")
    assert holds("NOT (true AND false)")


def test_keywords_and_functions_may_be_in_any_case():
    assert holds("TRUE and Not FALSE Or NULL")
    assert holds("ispresent([[x]]) AND ISABSENT([[y]])", x=1)


def test_extra_signs_mean_the_words():
    assert parse("![[a]] && [[b]] || !([[c]])") == parse("NOT [[a]] AND [[b]] OR NOT [[c]]")


def test_double_quotes_and_escapes_write_texts():
    assert holds('[[x]] == "it\'s"', x="it's")
    assert holds(r"[[x]] == 'it\'s'", x="it's")
    assert holds(r'[[x]] == "a\"b"', x='a"b')
    assert holds(r"[[x]] == 'a\\b\n\t\r'", x="a\\b\n\t\r")
    assert holds(r"[[x]] == 'C:\dir'", x="C:\\dir")
    assert holds("[[x]] == 'AND ]] )'", x="AND ]] )")


def test_a_condition_in_parentheses_is_a_value():
    assert holds("([[n]] > 3) == true", n=4)
    assert holds("false == ([[n]] > 3 AND true)", n=3)
    assert holds("(NOT [[n]] == 3) != (true)", n=3)


def test_parentheses_around_a_value_change_nothing():
    assert parse("((([[n]])) == (3))") == parse("[[n]] == 3")


def test_dynamic_and_other_threads_variables_are_seen():
    scope = Scope(dynamic={"tier": "gold"}, threads={"lab": {"attempts": 3}})

    assert parse("{{tier}} == 'gold' AND [[thread_lab.attempts]] >= 3").evaluate(scope).value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[[x | upcase]] == 'HIGH'", "high"),
        ("[[x|downcase]] == 'high'", "HIGH"),
        ("[[x | strip]] == 'a'", " a "),
        ("[[x | size]] == 2", [1, 2]),
        ("[[x | size ]] == 3", "abc"),
        ("[[x | default: 'none']] == 'none'", ""),
        ("[[x | default: 7]] == 7", None),
        ("[[x | join: ', ']] == 'a, b'", ["a", "b"]),
        ("[[x | join]] == 'a b'", ["a", "b"]),
        ("[[x | first]] == 1", [1, 2]),
        ("[[x | last]] == 2", [1, 2]),
        ("[[x | first | upcase | size]] == 2", ["ab"]),
        ("isPresent([[x | first]])", [1]),
        ("isAbsent([[x | first]])", []),
    ],
)
def test_filters_change_a_value_before_it_is_compared(text, value):
    assert holds(text, x=value)


def test_a_filter_leaves_what_is_absent_absent_unless_it_is_default():
    assert not holds("[[nothing | size]] == 0")
    assert holds("isAbsent([[nothing | upcase]])")
    assert holds("[[nothing | upcase | default: 'none']] == 'none'")
    assert holds("{{nothing | default: true}} == true")


# --- what cannot be computed -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hydrated", "why"),
    [
        ("'a' < 3", "'a' < 3", "a text and a number cannot be compared with <"),
        ("[[xs]] >= 3", '[1, "b"] >= 3', "a list and a number cannot be compared with >="),
        ("[[o]] < [[xs]]", '{"k": null} < [1, "b"]', "an object and a list cannot be compared with <"),
        ("true > [[name]]", "true > 'it\\'s'", "a boolean and a text cannot be compared with >"),
    ],
)
def test_values_without_an_order_are_an_error_that_begins_as_the_platforms(text, hydrated, why):
    scope = Scope(runtime={"xs": [1, "b"], "o": {"k": None}, "name": "it's"})

    with pytest.raises(ConditionError) as caught:
        parse(text).evaluate(scope)

    assert caught.value.message == f"Error evaluating condition expression '{hydrated}': {why}."


def test_a_filter_with_too_many_arguments_is_an_error():
    with pytest.raises(
        ConditionError, match=r"^Error evaluating .*'\[\[x \| upcase: 1\]\] == 2': the filter upcase"
    ):
        holds("[[x | upcase: 1]] == 2", x="a")


def test_lists_nested_without_end_are_an_error():
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    other: list[Any] = []
    for _ in range(100_000):
        other = [other]

    with pytest.raises(ConditionError, match="that cannot be written"):
        holds("[[a]] == [[b]]", a=deep, b=other)


# --- the text with the values ----------------------------------------------------------------------------


def test_hydration_writes_values_as_the_language_does():
    scope = Scope(
        runtime={"n": 3, "f": 0.5, "s": "it's", "b": True, "z": None, "l": [1, "é"], "o": {"k": False}},
        dynamic={"d": "[[n]]"},
    )
    text = "[[n]] [[f]] [[s]] [[b]] [[z]] [[l]] [[o]] {{d}} [[nothing]]"

    assert hydrate(text, scope) == "3 0.5 'it\\'s' true null [1, \"é\"] {\"k\": false} '[[n]]' [[nothing]]"
    assert hydrate("contains([[s]], 'approved')", scope) == "contains('it\\'s', 'approved')"


def test_a_condition_hydrates_its_references_and_keeps_the_rest_as_written():
    condition = parse("[[ count ]]>=3  and {{tier|upcase}} != '[[count]]' OR isAbsent([[gone]])")

    hydrated = condition.hydrated(Scope(runtime={"count": 5}, dynamic={"tier": "gold"}))

    assert hydrated == "5>=3  and 'GOLD' != '[[count]]' OR isAbsent([[gone]])"


def test_a_condition_lists_its_references_as_written():
    condition = parse("NOT [[ a.b ]] == {{c | upcase}} AND (isEmpty([[thread_x.d]]) OR true)")

    assert [(one.namespace, one.path, one.text) for one in condition.references] == [
        ("runtime", "a.b", "[[ a.b ]]"),
        ("dynamic", "c", "{{c | upcase}}"),
        ("runtime", "thread_x.d", "[[thread_x.d]]"),
    ]


def test_the_same_text_is_parsed_once():
    assert parse("[[parsed]] == 'once'") is parse("[[parsed]] == 'once'")


def test_conditions_are_equal_when_their_structure_is():
    assert parse("[[a]]==1") == parse("( [[ a ]] == 1 )")
    assert hash(parse("[[a]]==1")) == hash(parse("( [[ a ]] == 1 )"))
    assert parse("[[a]] == 1") != parse("[[a]] == true")
    assert parse("[[a]] == 1") != parse("[[a]] == '1'")
    assert parse("[[a]] AND [[b]] AND [[c]]") != parse("[[a]] AND ([[b]] AND [[c]])")


# --- what does not parse ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "column", "message", "advice"),
    [
        ("", 1, "The condition is empty.", "[[count]] >= 3"),
        (" \n ", 1, "The condition is empty.", "[[count]] >= 3"),
        ("[[a]] = 3", 7, "Found a single '='.", "Use == to compare."),
        ("[[a]] === 3", 7, "There is no comparison '==='.", "== != < <= > >="),
        ("[[a]] => 3", 7, "There is no comparison '=>'.", "== != < <= > >="),
        ("[[a]] <> 3", 7, "There is no comparison '<>'.", "== != < <= > >="),
        (
            "contains([[a]], 'x')",
            1,
            "Unknown function contains(...).",
            "isPresent, isAbsent, isEmpty and isNonEmpty",
        ),
        ("true AND  length ([[a]]) > 3", 11, "Unknown function length(...).", "isNonEmpty"),
        ("[[a]] contains 'x'", 7, "There is no operator 'contains'.", "== != < <= > >="),
        ("[[a]] == 'x", 10, "The text that begins here with ' is not closed.", "\\'"),
        ("[[a]] == \"x' ", 10, 'The text that begins here with " is not closed.', '\\"'),
        ("[[a == 3", 1, "The reference that begins here with [[ is not closed.", "Write ]]"),
        ("{{a}} == {{b", 10, "The reference that begins here with {{ is not closed.", "Write }}"),
        ("[[a] == 3 AND [[b]] == 2", 1, "The reference that begins here with [[ is not closed.", "Write ]]"),
        ("[[", 1, "The reference that begins here with [[ is not closed.", "Write ]]"),
        ("[[ ]] == 1", 4, "Expected the name of a variable, found ']]'.", ""),
        ("[[a]] == gold", 10, "Expected a value, found the word 'gold'.", "'gold'"),
        ("[[a]] ==", 9, "Expected a value, found the end.", "[[name]]"),
        ("[[a]] AND  ", 10, "Expected a value, found the end.", "[[name]]"),
        ("AND [[a]]", 1, "Expected a value, found 'AND'.", "[[name]]"),
        ("[[a]] & [[b]]", 7, "Expected a comparison, AND, OR or the end, found '&'.", "AND, OR"),
        ("[[a]] [[b]]", 7, "Expected a comparison, AND, OR or the end, found '[['.", "AND, OR"),
        ("([[a]] == 3", 12, "Expected ')', found the end.", "The ( at column 1 is not closed."),
        ("(isPresent([[a]]) AND ([[b]]", 29, "found the end.", "The ( at column 23 is not closed."),
        ("([[a]] == 3))", 13, "Expected the end, found ')'.", "This ) closes nothing."),
        ("()", 2, "Expected a value, found ')'.", "[[name]]"),
        ("[[a]] < 3 < 4", 11, "Found a second comparison, '<', behind the first.", "AND"),
        ("isPresent(a)", 11, "Expected a reference, found 'a'.", "each of one reference"),
        ("isPresent('a')", 11, "Expected a reference, found", "each of one reference"),
        ("isPresent [[a]]", 11, "Expected '(', found '[['.", "each of one reference"),
        ("isPresent([[a]]", 16, "Expected ')', found the end.", "The ( at column 10 is not closed."),
        ("[[a | shout]] == 1", 7, "Unknown filter 'shout'.", "upcase"),
        ("[[a | ]]", 7, "Expected the name of a filter, found ']]'.", ""),
        ("[[a | upcase 3]]", 14, "Expected ':', '|' or ']]', found '3'.", ""),
        ("[[a | join: ]]", 13, "Expected a value, found ']]'.", ""),
        ("[[a | join: 'x]]", 13, "The text that begins here with ' is not closed.", ""),
        ("\n[[a]]\n  = 2", 10, "Found a single '='.", "=="),
        ("[[a]] == 1e999", 10, "The number is too large.", "quotes"),
        ("[[a]] == " + "1" * 500, 10, "The number is too large.", "quotes"),
    ],
)
def test_a_mistake_is_explained_at_its_exact_column(text, column, message, advice):
    error = error_of(text)

    assert error.column == column
    assert message in error.message
    assert advice in error.advice


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "(" * 9_999 + "1" + ")" * 9_999,
        "NOT " * 4_000 + "true",
        "!" * 19_999,
        "[[" * 9_999,
        "{{" * 9_999,
        "'" * 19_999,
        "[[a | default: '" * 1_200,
        "1" * 20_000,
        "x" * 100_000,
        "[[a]] == 1 OR " * 7_000,
        "(" * 100_000,
    ],
    ids=lambda text: f"{text[:14]} x {len(text)}",
)
def test_a_text_of_absurd_size_is_refused_at_once(text):
    began = time.process_time()

    error_of(text)

    assert time.process_time() - began < 1


def test_a_long_chain_is_no_problem():
    assert holds(" OR ".join(["[[n]] == 1"] * 1_000 + ["[[n]] == 2"]), n=2)


# --- properties ------------------------------------------------------------------------------------------

constants = st.builds(Constant, st.sampled_from([True, False, None]))
values = st.builds(Value, st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False))
filters = st.lists(
    st.builds(FilterCall, st.sampled_from(FILTERS), st.lists(constants | values, max_size=2).map(tuple)),
    max_size=2,
).map(tuple)
paths = st.from_regex(r"[a-z_][a-z .'<=-]{0,6}(\[[0-9a-z' ]{1,3}\])?(\.[a-z]{1,3})?", fullmatch=True).map(
    str.strip
)
references = st.builds(Reference, st.sampled_from(["runtime", "dynamic"]), paths, filters)
calls = st.builds(Call, st.sampled_from(["isPresent", "isAbsent", "isEmpty", "isNonEmpty"]), references)
signs = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])


def branches(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return (
        st.builds(Comparison, signs, parts, parts)
        | st.builds(Not, parts)
        | st.builds(And, several)
        | st.builds(Or, several)
    )


trees = st.recursive(constants | values | references | calls, branches, max_leaves=8)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["3", "true"]),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.sampled_from("ab"), parts, max_size=2),
    max_leaves=5,
)


@quick
@given(trees)
def test_parsing_what_was_printed_gives_the_same_condition(tree):
    condition = Condition(str(tree), tree)

    assert parse(str(condition)) == condition


@quick
@given(st.text() | st.text(alphabet="[]{}()|&!=<>'\".aNOTDR13 \\\n", max_size=40))
def test_any_text_is_a_condition_or_an_expression_error(text):
    try:
        parse(text)
    except ExpressionError as error:
        assert 1 <= error.column <= len(text) + 1
        assert str(error)


@quick
@given(trees, st.dictionaries(st.sampled_from(["a", "b", "a.b"]), json_values), json_values)
def test_any_condition_on_any_values_gives_a_verdict_or_a_condition_error(tree, runtime, value):
    text = str(tree)
    condition = parse(text)
    runtime = {**runtime, **{reference.path: value for reference in condition.references[:2]}}
    scope = Scope(runtime=runtime, dynamic=runtime)

    try:
        assert isinstance(condition.evaluate(scope).value, bool)
    except ConditionError as error:
        assert error.message.startswith(
            f"Error evaluating condition expression '{condition.hydrated(scope)}': "
        )


@quick
@given(paths, json_values)
def test_presence_is_what_the_look_up_says(path, value):
    scope = Scope(runtime={"a": value, path: value})

    found = lookup(scope, "runtime", path)

    assert parse(f"isPresent([[{path}]])").evaluate(scope).value is (
        found is not ABSENT and found is not None
    )
