from __future__ import annotations

import re

import pytest

from debugger.views.panels.help.topics import (
    anchors_of,
    is_topic,
    listed_topics,
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
    assert {"first_run", "troubleshooting", "glossary", "platform", "server"} <= set(TOPICS)
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
