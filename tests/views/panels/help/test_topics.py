from __future__ import annotations

import re
from pathlib import Path

import pytest

from debugger.views.panels.help import topics
from debugger.views.panels.help.topics import (
    GROUPS,
    anchors_of,
    current_place,
    is_topic,
    listed_topics,
    other_words,
    plain_text,
    search,
    sections,
    title_of,
    topic_sections,
    topic_text,
)
from debugger.views.shortcuts import keys_table

TOPICS = [name for names in listed_topics().values() for name in names]


def test_every_document_is_a_topic_once():
    assert len(TOPICS) == len(set(TOPICS))
    assert {"first_run", "troubleshooting", "glossary", "platform", "team"} <= set(TOPICS)
    assert not is_topic("../settings")


@pytest.mark.parametrize("name", TOPICS)
def test_titles_are_unique_first_lines(name):
    assert topic_text(name).startswith(f"# {title_of(name)}\n")
    assert [title_of(each) for each in TOPICS].count(title_of(name)) == 1


@pytest.mark.parametrize("name", TOPICS)
def test_links_lead_to_headings(name):
    missing = []
    for link in re.findall(r"(?<!!)\[[^\]]*\]\(([^)]+)\)", topic_text(name)):
        file, _, anchor = link.partition("#")
        topic = file.removesuffix(".md") or name
        if link.startswith("https://"):
            continue
        text = f"{topic_text(topic)}\n{keys_table() if topic == 'keys' else ''}" if is_topic(topic) else ""
        if not text or (anchor and anchor not in {section.anchor for section in sections(text)}):
            missing.append(link)

    assert missing == []


def test_search_finds_words_in_any_order_and_case():
    found = search("BLOCKED call")

    assert (found[0].topic, found[0].section.anchor) == ("troubleshooting", "a-call-was-blocked")
    assert all(
        word in f"{each.section.heading} {plain_text(each.section.text)}".lower()
        for each in found
        for word in ("blocked", "call")
    )


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("screenshot", "questions#take-a-screenshot-or-a-picture"),
        ("Screenshots", "questions#take-a-screenshot-or-a-picture"),
        ("regression", "questions#regression-tests-is-the-new-version-worse"),
        ("bug report", "questions#report-a-bug"),
        ("share link", "questions#share-a-run-by-a-link"),
        ("delete run", "questions#delete-a-run"),
        ("how do I delete a run", "questions#delete-a-run"),
        ("dark mode", "questions#dark-mode"),
        ("where is my data", "questions#where-is-my-data"),
        ("Where is my data?", "questions#where-is-my-data"),
        ("built-in rules", "questions#what-does-built-in-rules-mean"),
        ("my own workflow", "first_run#your-own-workflow"),
        ("platform workflow", "first_run#take-a-workflow-from-the-platform"),
        ("install extra", "models#with-a-model"),
        ("test in CI", "scenarios_in_ci#scenarios-in-continuous-integration-ci"),
        ("failing scenario", "questions#a-scenario-that-fails-in-ci"),
        ("pipeline", "scenarios_in_ci#other-pipelines"),
        ("Jenkins", "scenarios_in_ci#other-pipelines"),
        ("export runs", "review#exports"),
        ("verdict", "review#review"),
        ("save test", "scenarios#save-a-run-as-a-scenario"),
        ("colleague", "questions#share-a-run-by-a-link"),
        ("login", "team#the-page-for-a-team"),
        ("keyboard shortcuts", "keys#keys"),
    ],
)
def test_search_knows_words_of_qa(words, place):
    first = search(words)[0]

    assert f"{first.topic}#{first.section.anchor}" == place


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("extraction", "extraction#extract-values"),
        ("assertion", "scenarios#expectations"),
        ("golden", "scenarios#save-a-run-as-a-scenario"),
        ("snapshot", "scenarios#change-what-is-expected"),
        ("baseline", "scenarios#test-two-versions"),
        ("permalink", "questions#share-a-run-by-a-link"),
        ("teammate", "questions#share-a-run-by-a-link"),
        ("send to a colleague", "questions#share-a-run-by-a-link"),
        ("share", "questions#share-a-run-by-a-link"),
        ("anonymize", "review#masking"),
        ("PII", "review#masking"),
        ("redact", "review#masking"),
        ("pass rate", "pages#statistics"),
        ("dashboard", "pages#statistics"),
        ("data driven", "scenarios#many-runs-from-a-sheet-of-inputs"),
        ("bulk", "scenarios#many-runs-from-a-sheet-of-inputs"),
        ("30 runs", "scenarios#many-runs-from-a-sheet-of-inputs"),
        ("version", "scenarios#test-two-versions"),
        ("new version", "questions#regression-tests-is-the-new-version-worse"),
        ("changed workflow", "scenarios#test-two-versions"),
        ("failure category", "review#failure-categories"),
        ("replay", "forks#fork"),
        ("mock", "scenarios#mocks-and-faults"),
        ("stub", "scenarios#mocks-and-faults"),
        ("breakpoint condition", "stepping#breakpoints"),
        ("timeout", "troubleshooting#an-answer-does-not-arrive"),
        ("rate limit", "troubleshooting#too-many-requests-429"),
        ("spreadsheet", "review#review-in-a-spreadsheet"),
        ("excel", "review#exports"),
        ("csv columns", "columns#columns-of-exports"),
        ("keyboard shortcuts", "keys#keys"),
        ("undo", "questions#delete-a-run"),
        ("clone", "pages#workflows"),
        ("duplicate", "forks#fork"),
        ("CI", "scenarios_in_ci#scenarios-in-continuous-integration-ci"),
        ("github actions", "scenarios_in_ci#github-actions"),
        ("junit", "scenarios_in_ci#reports"),
        ("flaky", "scenarios_in_ci#history"),
        ("latency", "models#what-a-call-was"),
        ("cost", "models#what-a-call-was"),
        ("tokens", "models#what-a-call-was"),
        ("environment", "settings#connections"),
        ("staging", "settings#connections"),
    ],
)
def test_search_knows_words_of_other_tools(words, place):
    assert place in [f"{each.topic}#{each.section.anchor}" for each in search(words)[:3]]


def test_words_of_other_tools_lead_to_headings():
    places = {f"{topic}#{each.anchor}" for topic in TOPICS for each in topic_sections(topic)}

    assert set(other_words()) <= places
    assert "golden" in other_words()["scenarios#save-a-run-as-a-scenario"]


def test_question_finds_sections_with_most_words():
    first = search("How do I make 30 runs at once?")[0]

    assert first.section.anchor == "many-runs-from-a-sheet-of-inputs"
    assert search("golden crossing") == []  # half of the words is too few


def test_search_finds_beginnings_of_words():
    """A short word is not found within others, and endings of words do not count."""
    shown = {f"{each.topic}#{each.section.anchor}" for each in search("CI")}

    assert "about#licences-of-dependencies" not in shown
    assert search("testing scenarios")[0].topic == "scenarios"
    assert "settings" in {each.topic for each in search("timeout")}  # in the name of a variable


def test_search_lists_background_last():
    in_background = [each.topic in GROUPS["Background"] for each in search("turn")]

    assert in_background == sorted(in_background)


@pytest.mark.parametrize(
    ("former", "now"),
    [
        ("server#", "team#"),
        ("server#the-server", "team#the-server"),
        ("server#keys-and-roles", "team#keys-and-roles"),
        ("server#limits", "team#limits"),
        ("server#the-page-for-a-team", "team#the-page-for-a-team"),
        ("server#logs-and-traces", "team#logs-and-traces"),
        ("server#backups", "team#backups"),
        ("server#store", "team#store"),
        ("deploy#", "team#"),
        ("deploy#package", "team#package"),
        ("deploy#container", "team#container"),
        ("deploy#reverse-proxy", "team#reverse-proxy"),
        ("deploy#postgresql", "team#store"),
        ("deploy#backups", "team#backups"),
        ("deploy#upgrades", "team#upgrades"),
        ("first_run#a-workflow-of-your-own", "first_run#your-own-workflow"),
        ("scripts#the-format", "scripts#the-format"),
    ],
)
def test_places_of_earlier_versions_lead_to_headings(former, now):
    topic, anchor = current_place(*former.split("#"))

    assert f"{topic}#{anchor}" == now
    assert not anchor or anchor in {section.anchor for section in topic_sections(topic)}


PLACE = re.compile(r"[\"'(]((?:[a-z_]+)#[a-z0-9-]+)[\"')]")


def test_places_that_code_names_are_headings():
    views = Path(topics.__file__).parents[2]
    named = {
        place
        for path in views.rglob("*.py")
        for place in PLACE.findall(path.read_text(encoding="utf-8"))
        if is_topic(place.partition("#")[0]) and path.name != "topics.py"
    }
    missing = [
        place
        for place in named
        if place.partition("#")[2]
        not in {section.anchor for section in sections(_text_of(place.partition("#")[0]))}
    ]

    assert missing == []
    assert "first_run#your-own-workflow" in named


def _text_of(topic):
    return f"{topic_text(topic)}\n{keys_table() if topic == 'keys' else ''}"


def test_search_without_words_or_matches_is_empty():
    assert search("  ") == []
    assert search("zebra crossing") == []


def test_excerpt_shows_the_first_word():
    (first, *_) = search("looping risk")

    assert "WORKFLOW_DEBUGGER_MAX_NODE_RUNS" in first.excerpt or "looping" in first.excerpt.lower()
    assert len(first.excerpt) < 160


def test_code_lines_are_no_headings():
    text = "# One\n\n```\n# a comment\n```\n\n## Two `x`\ntext"

    assert [(each.heading, each.anchor) for each in sections(text)] == [("One", "one"), ("Two x", "two-x")]


def test_repeated_headings_have_numbered_anchors():
    assert list(anchors_of(iter(["A b", "A b", "C!"]))) == ["a-b", "a-b-1", "c"]


def test_sections_hold_all_text():
    assert [each.heading for each in topic_sections("hosted")][:2] == [
        "Connect the hosted API",
        "Where the key comes from",
    ]
    assert "base URL" in topic_sections("hosted")[1].text
