"""Topics of the help: their order, their texts, and the search in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import count

MAX_RESULTS = 20
"""Sections that a search finds at most."""
_AROUND = 70
"""Characters of an excerpt before and after the first word that was found."""
_HEADING = re.compile(r"(#{1,4}) +(.+?) *")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"[*`|]|^#+ |^- |^\d+\. |(?<=\|) *-+ *(?=\|)", re.MULTILINE)
_FOLDER = files("debugger") / "docs"

GROUPS = {
    "Learn": (
        "first_run",
        "scripts",
        "models",
        "hosted",
        "stepping",
        "forks",
        "scenarios",
        "scenarios_in_ci",
        "review",
        "team",
    ),
    "Look up": (
        "questions",
        "troubleshooting",
        "pages",
        "guide",
        "columns",
        "settings",
        "python",
        "keys",
        "glossary",
        "about",
    ),
    "Background": ("platform", "architecture", "performance", "changelog"),
}
"""The topics, which are files of ``debugger/docs``, in the order of the list.

A document in none of them comes last: the installed app shows all that the package has.
"""
_BACKGROUND = "Background"
"""The group whose sections a search lists after all others."""
FIRST = "first_run"
_FORMER_TOPICS = {"server": "team", "deploy": "team"}
"""Topics that are a part of another one now, with most of their anchors."""
_FORMER_PLACES = {
    "deploy#postgresql": "team#store",
    "first_run#a-workflow-of-your-own": "first_run#your-own-workflow",
}
"""Places whose heading has another name now: addresses that were kept or sent have them."""
_SMALL_WORDS = frozenset(
    re.findall(r"\w+", "a an and are can do does for how i in is it my of on or the to what where with")
)
"""Words that a search leaves out while it has others."""


@dataclass(frozen=True)
class Section:
    """A heading with the text below it, up to the next one."""

    heading: str
    anchor: str
    text: str


@dataclass(frozen=True)
class Result:
    """A section that a search has found."""

    topic: str
    section: Section
    excerpt: str


@cache
def listed_topics() -> Mapping[str, tuple[str, ...]]:
    """Return the names of the topics by group."""
    listed = {name for names in GROUPS.values() for name in names}
    found = sorted(file.name.removesuffix(".md") for file in _FOLDER.iterdir() if file.name.endswith(".md"))
    return {**GROUPS, _BACKGROUND: (*GROUPS[_BACKGROUND], *(name for name in found if name not in listed))}


def current_place(topic: str, anchor: str) -> tuple[str, str]:
    """Return topic and anchor where a place of an earlier version is now."""
    topic, _, anchor = _FORMER_PLACES.get(f"{topic}#{anchor}", f"{topic}#{anchor}").partition("#")
    return _FORMER_TOPICS.get(topic, topic), anchor


def is_topic(name: str) -> bool:
    """Return whether the help has a topic of this name."""
    return any(name in names for names in listed_topics().values())


@cache
def topic_text(name: str) -> str:
    """Read the Markdown of a topic."""
    return (_FOLDER / f"{name}.md").read_text(encoding="utf-8")


@cache
def title_of(name: str) -> str:
    """Return the title of a topic, its first heading."""
    return topic_sections(name)[0].heading


@cache
def topic_sections(name: str) -> tuple[Section, ...]:
    """Return the sections of a topic in their order."""
    return tuple(sections(topic_text(name)))


def sections(text: str) -> Iterator[Section]:
    """Yield the sections of a document, with anchors as code hosts make them."""
    anchors = anchors_of(line[1] for line in _lines(text) if line[1])
    heading, lines = "", list[str]()
    for line, title in _lines(text):
        if title:
            if heading:
                yield Section(heading, next(anchors), "\n".join(lines).strip())
            heading, lines = title, []
        else:
            lines.append(line)
    if heading:
        yield Section(heading, next(anchors), "\n".join(lines).strip())


def anchors_of(headings: Iterator[str]) -> Iterator[str]:
    """Yield the anchor of each heading; one that repeats gets a number."""
    used: dict[str, count[int]] = {}
    for heading in headings:
        anchor = re.sub(r"[^\w\- ]", "", _LINK.sub(r"\1", heading).lower()).replace(" ", "-")
        if anchor in used:
            yield f"{anchor}-{next(used[anchor])}"
        else:
            used[anchor] = count(1)
            yield anchor


def search(words: str) -> list[Result]:
    """Find sections with all words: the guide's before the background, more in the heading first."""
    said = [word.strip("?!.,") for word in words.casefold().split()]
    wanted = [_singular(word) for word in said if word not in _SMALL_WORDS] or said
    if not wanted:
        return []
    found: list[tuple[tuple[bool, int], Result]] = []
    for group, names in listed_topics().items():
        for topic, section in ((name, section) for name in names for section in topic_sections(name)):
            text = plain_text(section.text)
            whole, heading = f"{section.heading} {text}".casefold(), section.heading.casefold()
            if all(word in whole for word in wanted):
                missing = sum(word not in heading for word in wanted)
                rank = group == _BACKGROUND, missing
                found.append((rank, Result(topic, section, _excerpt(text, wanted))))
    return [result for _, result in sorted(found, key=lambda each: each[0])][:MAX_RESULTS]


def _singular(word: str) -> str:
    """Return a word without the s of a plural, which finds both."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def plain_text(text: str) -> str:
    """Return Markdown as words in one line."""
    return " ".join(_MARKS.sub(" ", _LINK.sub(r"\1", text)).split())


def _excerpt(text: str, wanted: list[str]) -> str:
    places = [place for word in wanted if (place := text.casefold().find(word)) >= 0]
    place = min(places, default=0)
    start, end = max(place - _AROUND, 0), place + _AROUND
    start = text.find(" ", start) + 1 if start else 0
    cut = text[start:end] if end >= len(text) else text[start:end].rpartition(" ")[0]
    return f"{'…' if start else ''}{cut}{'…' if end < len(text) else ''}"


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield each line with its heading, if it is one; code has none."""
    is_code = False
    for line in text.splitlines():
        is_code ^= _FENCE.match(line) is not None
        match = None if is_code else _HEADING.fullmatch(line)
        yield line, match[2].replace("`", "") if match else ""
