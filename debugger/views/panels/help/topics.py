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
        "extraction",
        "scenarios_in_ci",
        "replay",
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
    re.findall(
        r"\w+",
        """a an and are at be by can do does for from how i in is it me my of on or our the to we what where
        with""",
    )
)
"""Words that a search leaves out while it has others."""
_OTHER_WORDS = "glossary", "words-of-other-tools"
"""The section whose table has words of other tools, and links to the places where these are found."""
_LINKED = re.compile(r"\]\((\w+)\.md(?:#([\w-]+))?\)")
_ENDING = re.compile(r"(\w{4,})(?:ing|ed)|(\w{3,}[^s])s")


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
    """Yield the sections of a document, with anchors as code hosts make them.

    Text above the first heading is left out; a document without a heading has no section.
    """
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
    """Yield the anchor of each heading; one that repeats gets a number.

    It is the heading in lower case, with hyphens for spaces, without punctuation, a link as its words. The
    second of several gets ``-1``.
    """
    used: dict[str, count[int]] = {}
    for heading in headings:
        anchor = re.sub(r"[^\w\- ]", "", _LINK.sub(r"\1", heading).lower()).replace(" ", "-")
        if anchor in used:
            yield f"{anchor}-{next(used[anchor])}"
        else:
            used[anchor] = count(1)
            yield anchor


@cache
def other_words() -> Mapping[str, str]:
    """Return the words that other tools use for what is at a place, ``topic#anchor``, from the glossary."""
    topic, anchor = _OTHER_WORDS
    table = next(each.text for each in topic_sections(topic) if each.anchor == anchor)
    found: dict[str, str] = {}
    for row in table.splitlines():
        for linked, heading in _LINKED.findall(row):
            place = f"{linked}#{heading or topic_sections(linked)[0].anchor}"
            found[place] = f"{found.get(place, '')} {row.split('|')[1]},"
    return found


def search(words: str) -> list[Result]:
    """Find sections with all words, each as the beginning of one; without any, those with most of the words.

    The words of other tools for a section count as its heading's, after its own. Those of the guide come
    before the background's, more in the heading first, then in the title of the topic, then what is learnt
    before what is looked up, then what has the words more often. A section with half of the words is not
    found.
    """
    said = [word.strip("?!.,") for word in words.casefold().split()]
    wanted = [_stem(word) for word in said if word not in _SMALL_WORDS] or said
    if not wanted:
        return []
    patterns = [_beginning(word) for word in wanted]
    found: list[tuple[tuple[int | bool, ...], Result]] = []
    for number, (group, names) in enumerate(listed_topics().items()):
        for topic, section in ((name, section) for name in names for section in topic_sections(name)):
            heading = f"{section.heading}, {other_words().get(f'{topic}#{section.anchor}', '')}"
            text = plain_text(section.text)
            times = [len(each.findall(f"{heading} {text}")) for each in patterns]
            absent = times.count(0)
            if 2 * absent >= len(times):
                continue
            below = [each for each in patterns if not each.search(heading)]
            is_other = " ".join(said) not in heading.casefold()
            borrowed = sum(not each.search(section.heading) for each in patterns) - len(below)
            missing = sum(not each.search(title_of(topic)) for each in below)
            rank = absent, group == _BACKGROUND, len(below), is_other, borrowed, missing, number, -min(times)
            found.append((rank, Result(topic, section, _excerpt(text, below))))
    found.sort(key=lambda each: each[0])
    return [result for rank, result in found if rank[0] == found[0][0][0]][:MAX_RESULTS]


def _stem(word: str) -> str:
    """Return a word without the ending of a plural or a verb, if enough of it stays."""
    match = _ENDING.fullmatch(word)
    return match[1] or match[2] if match else word


def _beginning(word: str) -> re.Pattern[str]:
    """Return the pattern of a word's beginning; the parts of a variable's name are words."""
    return re.compile(rf"(?<![^\W_]){re.escape(word)}", re.IGNORECASE)


def plain_text(text: str) -> str:
    """Return Markdown as words in one line."""
    return " ".join(_MARKS.sub(" ", _LINK.sub(r"\1", text)).split())


def _excerpt(text: str, wanted: list[re.Pattern[str]]) -> str:
    """Return the text around the first match of any pattern, cut at spaces, with "…" where it is cut.

    Without a match it is the beginning of the text; an empty text stays empty.
    """
    place = min((match.start() for each in wanted if (match := each.search(text))), default=0)
    start, end = max(place - _AROUND, 0), place + _AROUND
    start = text.find(" ", start) + 1 if start else 0
    cut = text[start:end] if end >= len(text) else text[start:end].rpartition(" ")[0]
    return f"{'…' if start else ''}{cut}{'…' if end < len(text) else ''}"


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield each line with its heading, if it is one; code has none.

    A heading has one to four hashes, which are removed as its backticks are; it is empty for another line.
    """
    is_code = False
    for line in text.splitlines():
        is_code ^= _FENCE.match(line) is not None
        match = None if is_code else _HEADING.fullmatch(line)
        yield line, match[2].replace("`", "") if match else ""
