from __future__ import annotations

import random
import re
import threading
from pathlib import Path

import pytest

from debugger.expressions import patterns
from debugger.expressions.limits import LimitError
from debugger.expressions.patterns import compile_pattern, search_pattern

_ITEMS = (
    *"abc12 .#-|{},^$é",
    r"\d",
    r"\w",
    r"\s",
    r"\b",
    r"\.",
    r"\(",
    r"\[",
    r"\x41",
    r"\1",
    r"\A",
    r"\Z",
    "{e}",
)
_SETS = ("[abc]", "[^a]", "[a-c1]", "[]a]", "[[a]", "[^]b]", r"[\d_]", r"[\]x]", "[[:a:]]", r"[a\-z]")
_GROUPS = ("(", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?P<n>", "(?i:", "(?#x)(", "(?s-i:")
_REPEATS = (
    "*",
    "+",
    "?",
    "*?",
    "+?",
    "??",
    "{2}",
    "{1,2}",
    "{,2}",
    "{2,}",
    "*+",
    "{1,2}?",
    "{0}",
    "{,}",
    "{a}",
)
_TEXTS = (
    "",
    "a",
    "abc",
    "aab 12",
    "cab\nb1 2",
    "((a) [b]",
    "ABC",
    "É é 1",
    "{e} a{a}",
    "aabb",
    "112",
    "#a-b",
)


def written(chance: random.Random, depth: int = 2) -> str:
    parts = []
    for _ in range(chance.randint(1, 4)):
        if depth and chance.random() < 0.4:
            parts.append(f"{chance.choice(_GROUPS)}{written(chance, depth - 1)})")
        else:
            parts.append(chance.choice(_ITEMS + _SETS))
        if chance.random() < 0.35:
            parts.append(chance.choice(_REPEATS))
    return "".join(parts)


def test_generated_patterns_find_what_re_finds():
    chance, compared = random.Random(35), 0
    for _ in range(3_000):
        text = chance.choice(("", "", "(?i)", "(?x)", "(?ms)")) + written(chance)
        flags = chance.choice((0, re.IGNORECASE))
        try:
            wanted = re.compile(text, flags)
        except (re.error, FutureWarning):
            continue
        try:
            found = compile_pattern(text, ignores_case=bool(flags))
        except LimitError:
            continue
        compared += 1
        for each in _TEXTS:
            one, other = wanted.search(each), found.search(each)
            assert (one and (one.span(), one.groups())) == (other and (other.span(), other.groups())), (
                text,
                each,
            )
    assert compared > 1_000


def test_patterns_of_samples_and_documents_find_what_re_finds():
    root = Path(__file__).parents[2]
    folders = [root / "debugger" / "samples", root / "debugger" / "docs", root / "tests"]
    files = [
        path for folder in folders for kind in ("yaml", "md", "py") for path in folder.rglob(f"*.{kind}")
    ]
    quoted = re.compile(r"(?:when|to|regex|with): *(?:'([^'\n]+)'|\"([^\"\n]+)\"|([^'\"{}\[\],#\n]+))")
    texts = [path.read_text(encoding="utf-8") for path in files]
    written = {
        next(filter(None, match.groups())).strip() for text in texts for match in quoted.finditer(text)
    }
    lines = sorted({line for text in texts[:40] for line in text.splitlines()})[::9]
    compared = 0
    for each in sorted(written):
        try:
            wanted, found = re.compile(each, re.IGNORECASE), compile_pattern(each, ignores_case=True)
        except (re.error, FutureWarning, ValueError, LimitError):
            with pytest.raises((ValueError, LimitError)):
                compile_pattern(each, ignores_case=True)
            continue
        compared += 1
        spans = [
            (a and a.span(), b and b.span())
            for line in lines
            if (a := wanted.search(line), b := found.search(line))
        ]
        assert all(one == other for one, other in spans), each
    assert compared > 50


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("((a{99}){99}){99}", "10,000 characters"),
        ("((a{999}){999}){9}", "10,000 characters"),
        ("(?:(?:(?:[)]a{99}){99}){99}){99}", "10,000 characters"),
        (r"(?:a{99}[[:alpha:](]){99}a{9999}", "10,000 characters"),
        ("(?x)(?:(?:a {99}) # ( \n {99}) {99}", "10,000 characters"),
        ("a{9999999999}", "9 digits"),
        ("a" * 2_001, "2,000 is the most"),
        ("(" * 31 + ")" * 31, "more than 30 groups within each other"),
        ("(a)" * 101, "more than 100 groups"),
    ],
)
def test_costly_patterns_are_not_compiled(pattern, reason):
    with pytest.raises(LimitError, match=reason):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(x", "missing ), unterminated subpattern"),
        ("x)", "unbalanced parenthesis at position 1"),
        ("[x", "unterminated character set at position 0"),
        ("x\\", "bad escape"),
        ("*x", "nothing to repeat"),
        ("x(?i)y", "global flags at position 1, not at its start"),
        ("(?R)", "'(?R)' at position 0 is not supported"),
        ("(x)(?1)", "'(?1)' at position 3 is not supported"),
        ("(?V1)x", "'(?V1' at position 0 is not supported"),
        ("(*PRUNE)", "not supported"),
        ("a((?#)?R)?b", "nothing to repeat at position 6"),
        ("(?x)a( ?R)?b", "nothing to repeat at position 7"),
        ("(?x)( *PRUNE)", "nothing to repeat at position 6"),
        ("((?#)?V1)[[a-z]--[b]]", "nothing to repeat at position 5"),
        ("a*(?#)+", "multiple repeat at position 6"),
        ("(?x)a* ?", "multiple repeat at position 7"),
    ],
)
def test_what_is_no_pattern_is_told(pattern, reason):
    with pytest.raises(ValueError, match=re.escape(reason)):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["(?i)(?m)^b", "(?x) (?i) b", "(?x)\u2028", "(?x)a\xa0b", "(?x)a (?#c) *b"]
)
def test_flags_and_blanks_are_those_of_re(pattern):
    wanted, found = re.compile(pattern), compile_pattern(pattern)

    for text in ("", "a\nB", "b\u2028", "a\xa0b", "ab", "aab"):
        one, other = wanted.search(text), found.search(text)
        assert (one and one.span()) == (other and other.span()), text


def test_properties_and_named_groups_are_read():
    match = compile_pattern(r"(?<year>\d{4})-\p{Lu}").search("In 2026-X")

    assert match is not None and match["year"] == "2026"
    assert compile_pattern("(?P<a>x)(y)").groups == 2
    assert compile_pattern("(?P<a>x)(y)").groupindex == {"a": 1}


def test_long_texts_are_searched_as_far_as_a_pattern_allows():
    assert search_pattern("^data:[a-z]+;", "data:png;" + "A" * 900_000)
    with pytest.raises(LimitError, match="can search 1,000,000 characters, and the text has 1,000,001"):
        search_pattern("b", "a" * 1_000_001)
    with pytest.raises(LimitError, match="can search 100,000 characters"):
        search_pattern("(a|b)*c", "a" * 100_001)


def test_searches_end_while_other_threads_run():
    beats, is_over = [], threading.Event()

    def beat() -> None:
        while not is_over.wait(0.001):
            beats.append(1)

    thread = threading.Thread(target=beat)
    thread.start()
    with pytest.raises(LimitError, match=r"takes longer than 0\.25 seconds on a text of 100,000 characters"):
        search_pattern(r"(\w+\s?)+$", "word " * 19_999 + "!!!!!")
    is_over.set()
    thread.join()

    assert len(beats) > 10


def test_busy_threads_do_not_end_a_search_early():
    """The library's clock runs on while another thread computes, and this one waits."""
    seconds = []

    class Slow:
        groups = 0

        def search(self, text, timeout, concurrent):
            seconds.append(timeout)
            if len(seconds) < 4:
                raise TimeoutError
            return "found"

    pattern = patterns.Pattern("x", Slow(), False)

    assert pattern.search("x") == "found"
    assert seconds == [0.25, 0.5, 1.0, 2.0]
