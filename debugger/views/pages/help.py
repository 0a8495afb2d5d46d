"""The page with the help: topics, search, and facts about this installation."""

from __future__ import annotations

from html import escape

import streamlit as st

from debugger.settings import read_settings
from debugger.store import Role
from debugger.views.address_bar import query_parameters, set_query_parameters
from debugger.views.auth.permissions import reason_against
from debugger.views.help_links import help_address, help_parameters
from debugger.views.panels.help.about import facts_table, licences_table
from debugger.views.panels.help.document import document, to_html
from debugger.views.panels.help.setting_values import with_values
from debugger.views.panels.help.topics import (
    FIRST,
    current_place,
    is_topic,
    listed_topics,
    search,
    title_of,
    topic_text,
)
from debugger.views.panels.tour import tour_button
from debugger.views.shortcuts import keys_table, plain_keys_switch

_SEARCH_KEY = "help_search"


def render() -> None:
    """Draw the page Help; an unknown topic shows the first one.

    With words in the search box the list has the results in place of the topics.
    """
    parameters = query_parameters()
    topic, place = current_place(parameters.get("topic", ""), parameters.get("at", ""))
    if not is_topic(topic):
        topic, place = FIRST, ""
    list_column, text_column = st.columns([1, 3], gap="medium")
    with list_column, st.container(key="help_topics"):
        words = st.text_input("Search Help", key=_SEARCH_KEY, placeholder="Words of a heading or a text")
        if topic == FIRST:
            tour_button()
        document("help_list", _results(words) if words.strip() else _topics(topic), on_choose=follow)
    with text_column, st.container(key="help_text"):
        if topic == "keys":
            plain_keys_switch()
        document("help_document", to_html(_text(topic), topic), on_choose=follow, place=place)


def follow(topic: str, anchor: str) -> None:
    """Show a place of the help."""
    set_query_parameters(help_parameters(f"{topic}#{anchor}"))


def _text(topic: str) -> str:
    """Return a topic as Markdown, with shortcuts, settings or facts about this installation filled in.

    Raises `SettingsError` for the topics settings and about where the settings cannot be read.
    """
    text = topic_text(topic)
    if topic == "keys":
        return f"{text}\n{keys_table()}"
    if topic == "settings":
        return with_values(text, read_settings(), is_admin=not reason_against(Role.ADMIN))
    if topic == "about":
        return text.replace("{facts}", facts_table(read_settings())).replace("{licences}", licences_table())
    return text


def _topics(shown: str) -> str:
    """Return the list of the topics as HTML, the shown one marked."""
    parts = ['<nav aria-label="Help topics">']
    for group, names in listed_topics().items():
        links = (_link(name, title_of(name), is_current=name == shown) for name in names)
        parts.append(f"<h2>{group}</h2><ul>{''.join(links)}</ul>")
    return "".join([*parts, "</nav>"])


def _results(words: str) -> str:
    """Return what a search finds as HTML; without anything, a sentence with the words.

    All texts are escaped.
    """
    found = search(words)
    if not found:
        return f"<p>Nothing has the words “{escape(words)}”. Try fewer or other words.</p>"
    links = (
        _link(
            f"{each.topic}#{each.section.anchor}",
            title_of(each.topic)
            if each.section.heading == title_of(each.topic)
            else f"{title_of(each.topic)} › {each.section.heading}",
            each.excerpt,
        )
        for each in found
    )
    return f'<nav aria-label="Results"><ul>{"".join(links)}</ul></nav>'


def _link(place: str, label: str, excerpt: str = "", *, is_current: bool = False) -> str:
    current = ' aria-current="page"' if is_current else ""
    words = f"<small>{escape(excerpt)}</small>" if excerpt else ""
    return f'<li><a href="{escape(help_address(place))}"{current}>{escape(label)}{words}</a></li>'
