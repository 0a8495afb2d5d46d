"""Attacks on the cost of templates and of conditions."""

from __future__ import annotations

from contextlib import suppress

import pytest

from debugger.errors import ConditionError, ExpressionError, RunError
from debugger.expressions import Scope, hydrate, limits, parse, render, render_value, required_variables
from tests.safety.bounded_child import run_bounded

MEGABYTE = 1_000_000


def filled(text, **dynamic):
    return render(text, Scope(dynamic=dynamic, runtime=dynamic)).text


# --- paths -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["{{a%s}}", "[[a%s]]"])
def test_long_path_in_text_costs_little(text):
    text %= ".b" * 20_000

    outcome = run_bounded(lambda: filled(text, a=1))

    assert outcome.value == text
    assert outcome.cpu_seconds < 1
    assert outcome.grown_bytes < 50 * MEGABYTE


def test_long_path_in_condition_is_refused():
    def attack():
        with pytest.raises(ExpressionError) as caught:
            parse("[[a%s]] == 1" % (".b" * 9_000))
        return str(caught.value)

    outcome = run_bounded(attack)

    assert "9,001 steps" in outcome.value or "18,001 characters" in outcome.value
    assert outcome.grown_bytes < 50 * MEGABYTE


def test_many_paths_keep_bounded_memory():
    def attack():
        for number in range(2_000):
            filled(f"{{{{a{number}{'.bcdefg' * 90}}}}}")

    assert run_bounded(attack).grown_bytes < 100 * MEGABYTE


def test_many_conditions_keep_bounded_memory():
    def attack():
        for number in range(100):
            parse("".join(f"[[a{number}b{each}{'.bcdefg' * 90}]] OR " for each in range(20)) + "true")

    assert run_bounded(attack).grown_bytes < 100 * MEGABYTE


def test_many_templates_keep_bounded_memory():
    def attack():
        for number in range(25):
            filled(f"{{{{a{number} | size}}}}" * 1_000)

    assert run_bounded(attack).grown_bytes < 28 * MEGABYTE


# --- values that filters make ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{{ a | replace: 'x', a | size }}",
        "{{ a | replace: '', a | size }}",
        "{{ xs | join: a | size }}",
        "{{ a%s | size }}" % (" | append: big" * 130),
        "{{ a%s | size }}" % (" | prepend: big" * 130),
        "{{ xs%s | size }}" % (" | concat: xs" * 150),
        "{{ a%s | size }}" % (" | base64_encode" * 40),
        "{{ a%s | size }}" % (" | replace: 'x', '&&&&&&&' | escape | replace: '&', 'xxx'" * 6),
        "[[a | replace: 'x', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' | replace: 'x', "
        "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' | size]]",
    ],
    ids=lambda text: text[:40],
)
def test_filters_make_no_huge_value(text):
    values = {"a": "x" * 20_000, "big": "y" * 900_000, "xs": ["z"] * 20_000}

    outcome = run_bounded(lambda: filled(text, **values))

    assert outcome.value == text
    assert outcome.grown_bytes < 100 * MEGABYTE


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a | uniq | size", list(range(60_000))),
        ("a | uniq | size", [[number] for number in range(30_000)]),
        ("a | uniq | size", [{"k": number} for number in range(30_000)]),
        ("a | uniq: 'k' | size", [{"k": number} for number in range(30_000)]),
        ("a | uniq | size", [number * (2**61 - 1) for number in range(30_000)]),
        ("a | replace_last: b, '' | size", "a" * 900_000),
        ("a | remove_last: b | size", "a" * 900_000),
        ("a | date: '%Y' | size", "1 " * 450_000 * 5),
        ("a | date: '%Y' | date: '%Y' | date: '%Y' | date: '%Y' | size", "a" * 900_000),
        ("b | date: a | size", "%1000d" * 150_000),
    ],
    ids=lambda case: case if isinstance(case, str) and len(case) < 99 else "",
)
def test_one_filter_takes_little_time(expression, value):
    b = "a" * 200_000 + "b" + "a" * 200_000 if isinstance(value, str) and value[0] == "a" else "2024-05-06"

    outcome = run_bounded(lambda: filled(f"{{{{ {expression} }}}}", a=value, b=b))

    assert outcome.cpu_seconds < 2
    assert outcome.grown_bytes < 150 * MEGABYTE


def test_many_slow_filters_run_out_of_time(monkeypatch):
    monkeypatch.setattr(limits, "MAX_EVALUATION_SECONDS", 0.5)
    text = "{{ a | url_encode | size }}" * 800

    def attack():
        with suppress(RunError):  # only where the time ends between two placeholders
            filled(text, a="é" * 200_000)

    assert run_bounded(attack).cpu_seconds < 2


def test_arguments_share_one_time_limit(monkeypatch):
    monkeypatch.setattr(limits, "MAX_EVALUATION_SECONDS", 0.5)
    arguments = [["{{ a | url_encode | size }}"] * 20] * 20

    def attack():
        render_value(arguments, Scope(dynamic={"a": "é" * 200_000}), preserve_types=True)

    assert run_bounded(attack).cpu_seconds < 2


def test_different_arguments_time_out_with_a_sentence(monkeypatch):
    monkeypatch.setattr(limits, "MAX_EVALUATION_SECONDS", 0.3)
    arguments = [f"{{{{ a | url_encode | append: '{number}' | size }}}}" for number in range(300)]

    def attack():
        with pytest.raises(RunError) as caught:
            render_value(arguments, Scope(dynamic={"a": "é" * 200_000}), preserve_types=True)
        return str(caught.value)

    assert "takes longer than 0.3 seconds" in run_bounded(attack).value


def test_many_slow_expressions_run_out_of_time():
    text = "".join(f"{{{{ {number}{'(' * 1_900} }}}}" for number in range(2_000))

    def attack():
        try:
            return render(text, Scope()).text == text
        except RunError as error:
            return "2 seconds" in str(error)

    outcome = run_bounded(attack, cpu_seconds=6)

    assert outcome.value
    assert outcome.cpu_seconds < 4


# --- what is written -------------------------------------------------------------------------------------


def test_shared_parts_are_counted_each_time():
    row = ["x" * 1_000] * 1_000
    table = [row] * 1_000  # a billion characters when written, a megabyte in memory

    def attack():
        with pytest.raises(RunError, match="longer than 10 million"):
            filled("{{table}}", table=table)
        with pytest.raises(ConditionError) as caught:
            parse("[[table]] < 3").evaluate(Scope(runtime={"table": table}))
        return str(caught.value), filled("{{ table | join }}", table=table)

    outcome = run_bounded(attack)

    assert len(outcome.value[0]) < 1_000
    assert outcome.value[1] == "{{ table | join }}"
    assert outcome.grown_bytes < 50 * MEGABYTE


@pytest.mark.parametrize("preserve_types", [True, False])
def test_arguments_share_one_limit_of_characters(preserve_types):
    arguments = {"pages": ["[[page]]"] * 10_000}

    def attack():
        with pytest.raises(RunError) as caught:
            render_value(arguments, Scope(runtime={"page": "x" * 1_000_000}), preserve_types=preserve_types)
        return str(caught.value)

    outcome = run_bounded(attack)

    assert "longer than 10 million characters" in outcome.value
    assert outcome.grown_bytes < 50 * MEGABYTE


def test_error_of_condition_stays_short():
    text = " OR ".join(["[[page]] == 1"] * 1_000 + ["'x' < 3"])

    def attack():
        scope = Scope(runtime={"page": "x" * 50_000})
        with pytest.raises(ConditionError) as caught:
            parse(text).evaluate(scope)
        return len(str(caught.value)), len(hydrate(text, scope))

    outcome = run_bounded(attack)

    assert max(outcome.value) < 250_000
    assert outcome.grown_bytes < 50 * MEGABYTE


def test_warnings_of_condition_stay_short():
    text = " OR ".join(["[[a]]<1"] * 1_800)

    outcome = run_bounded(lambda: sum(map(len, parse(text).evaluate(Scope()).warnings)))

    assert outcome.value < 2 * MEGABYTE


def test_comparing_large_values_runs_out_of_time(monkeypatch):
    monkeypatch.setattr(limits, "MAX_EVALUATION_SECONDS", 0.5)
    values = {"a": [[1] * 500] * 40_000, "b": [[1] * 500] * 39_999 + [[2]]}
    text = " OR ".join(["[[a]] == [[b]]"] * 1_000)

    def attack():
        with pytest.raises(ConditionError) as caught:
            parse(text).evaluate(Scope(runtime=values))
        return str(caught.value)

    outcome = run_bounded(attack)

    assert "takes longer than 0.5 seconds" in outcome.value
    assert outcome.cpu_seconds < 2


# --- depth -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [95, 195])
@pytest.mark.parametrize(
    ("opening", "closing"), [("NOT ", ""), ("(", " AND true)"), ("(", " OR [[b]])"), ("(", " == 1)")]
)
def test_deep_condition_works_or_is_refused(levels, opening, closing):
    text = opening * levels + "[[a]]" + closing * levels

    def attack(frames=250):
        if frames:
            return attack(frames - 1)
        try:
            condition = parse(text)
        except ExpressionError as error:
            return levels > 100 and "nested too deep" in str(error)
        value = condition.evaluate(Scope(runtime={"a": 1})).value
        return isinstance(value, bool) and parse(str(condition)) == condition

    assert run_bounded(attack).value is True


def test_deep_values_fail_with_a_sentence():
    deep, other = [], []
    for _ in range(100_000):
        deep, other = [deep], [other]

    def attack():
        with pytest.raises(ConditionError) as caught:
            parse("[[a]] == [[b]]").evaluate(Scope(runtime={"a": deep, "b": other}))
        return str(caught.value), filled("{{ a | join }} {{ a | uniq }} {{ a | sort }}", a=deep)

    message, text = run_bounded(attack).value

    assert "a value is nested too deep" in message
    assert "recursion" not in message + text


def test_deep_arguments_fail_with_a_sentence():
    arguments = "{{a}}"
    for _ in range(2_000):
        arguments = {"k": [arguments]}

    def attack():
        with pytest.raises(RunError) as caught:
            render_value(arguments, Scope(), preserve_types=True)
        return str(caught.value)

    assert "100 objects and lists" in run_bounded(attack).value


# --- the skeleton of variables ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{{a%s}}" % (".b" * 20_000),
        "{{%s}}" % ("[" * 40_000),
        "".join(f"{{{{xs[999].a{number}}}}}" for number in range(20_000)),
        "".join(f"{{{{a{number}[999]}}}}" for number in range(20_000)),
        "".join(f"{{{{a[999].b{number}[999]}}}}" for number in range(10_000)),
    ],
    ids=lambda text: text[:12],
)
def test_skeleton_grows_with_its_text(text):
    document = {"workflow_config": {}, "node_configs": [{"prompt": text}]}

    outcome = run_bounded(lambda: len(repr(required_variables(document))))

    assert outcome.value < 2 * MEGABYTE
    assert outcome.grown_bytes < 150 * MEGABYTE
