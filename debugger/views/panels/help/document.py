"""Document of the help, drawn from Markdown."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from itertools import pairwise
from urllib.parse import parse_qsl, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from debugger.views import state
from debugger.views.components.factory import component
from debugger.views.help_links import help_address
from debugger.views.panels.help.topics import anchors_of, is_topic

_DOCUMENT = component("document", __package__, "document")


def document(key: str, html: str, *, on_choose: Callable[[str, str], None], place: str | None = None) -> None:
    """Draw a document.

    Args:
        key: The widget's.
        html: Its markup, see `to_html`.
        on_choose: Takes topic and anchor of a link into the help that the user follows.
        place: The anchor that is shown when it changes; empty for the title, ``None`` for where the page is.
    """

    def follow() -> None:
        """Call `on_choose` with topic and anchor of the followed link; nothing where it names no topic."""
        followed = state.sent_by_browser(key, "followed")
        query = dict(parse_qsl(urlsplit(str(followed or "")).query))
        if is_topic(query.get("topic", "")):
            on_choose(query["topic"], query.get("at", ""))

    _DOCUMENT(key=key, data={"html": html, "place": place}, on_followed_change=follow)


def to_html(markdown: str, topic: str) -> str:
    """Return Markdown as HTML with anchors, help links and pictures; HTML stays text.

    Args:
        markdown: The text.
        topic: The topic that it is of, for links to its own headings.
    """
    tokens = _parser().parse(markdown)
    headings = [after for token, after in pairwise(tokens) if token.type == "heading_open"]
    anchors = anchors_of(iter([each.content.replace("`", "") for each in headings]))
    for token in tokens:
        if token.type == "heading_open":
            token.attrs |= {"id": next(anchors), "tabindex": "-1"}
    for token in _inner(tokens):
        if token.type == "link_open":
            token.attrs |= _link(str(token.attrs["href"]), topic)
        elif token.type == "image":
            token.attrs["src"] = _picture(str(token.attrs["src"]))
    return str(_parser().renderer.render(tokens, _parser().options, {}))


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _inner(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _inner(token.children or [])


def _link(href: str, topic: str) -> dict[str, str]:
    """Return the attributes of a link: a help address for a topic, else a new tab without a referrer.

    A file ``NAME.md`` is a topic where the help has it; an anchor alone is of the topic at hand.
    """
    file, _, anchor = href.partition("#")
    name = file.removesuffix(".md") if file else topic
    if name != file and is_topic(name):
        return {"href": help_address(f"{name}#{anchor}")}
    return {"href": href, "target": "_blank", "rel": "noopener noreferrer"}


@cache
def _picture(source: str) -> str:
    content = (files("debugger") / "docs" / source).read_bytes()
    return f"data:image/{source.rpartition('.')[2]};base64,{b64encode(content).decode()}"
