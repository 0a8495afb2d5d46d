"""The page that shows each control, table, banner and badge of the app once; no navigation leads to it."""

from __future__ import annotations

from typing import Literal, get_args

import streamlit as st

from debugger.views import state
from debugger.views.components.rows import Column, Row, Table, rows_list
from debugger.views.components.toolbar import (
    Badge,
    Button,
    Colour,
    Copy,
    DateInput,
    Disclosure,
    Item,
    Menu,
    SegmentedControl,
    Select,
    Spacer,
    TextInput,
    Toggle,
    bar,
)

Weight = Literal["primary", "secondary", "tertiary"]
_WEIGHTS: dict[Weight, str] = {"primary": "Primary", "secondary": "Bordered", "tertiary": "Plain"}
_COLOURS: tuple[Colour, ...] = get_args(Colour)
_OPTIONS = ("One", "Two", "Three")
_BAR_SWITCH, _BAR_TABS = "style_bar_switch", "style_bar_tabs"


def render() -> None:
    """Draw the page Style, whose controls do nothing."""
    with st.container(key="style", width=860):
        st.markdown("### Style")
        st.caption(
            "What the pages are made of, in the theme of this browser. No page has another look of it."
        )
        _buttons()
        _fields()
        _choices()
        _table()
        _banners()
        _badges()


def _buttons() -> None:
    """Draw buttons and menus of each weight, and what is folded."""
    st.markdown("##### Controls of three weights")
    for weight, label in _WEIGHTS.items():
        with st.container(horizontal=True, gap="xsmall", key=f"style_{weight}_line"):
            st.button(label, key=f"style_{weight}", type=weight, icon=":material/check:")
            st.button(f"{label}, disabled", key=f"style_{weight}_disabled", type=weight, disabled=True)
            st.popover(f"{label}, a menu", key=f"style_{weight}_menu", type=weight).text("What is in it")
        bar(f"style_{weight}_bar", _bar_buttons(weight, label), low=True)
    with st.container(horizontal=True, gap="xsmall", key="style_disclosures"):
        st.expander("What is folded", type="compact").text("The first line of it")
    bar("style_disclosure_bar", [Disclosure("style_disclosure", "What is folded")], low=True)


def _bar_buttons(weight: Weight, label: str) -> list[Item]:
    """Return a bar's buttons of one weight, with a menu but for the primary one."""
    key, icon = f"style_bar_{weight}", ":material/check:"
    buttons: list[Item] = [
        Button(key, label, _nothing, icon=icon, look=weight),
        Button(f"{key}_disabled", f"{label}, disabled", _nothing, look=weight, disabled=True),
        Button(f"{key}_icon", f"{label}, icon alone", _nothing, icon=icon, look=weight, shows="icon"),
    ]
    buttons.append(
        Button(f"{key}_off", f"{label}, off", _nothing, icon=icon, look=weight, disabled=True, shows="icon")
    )
    if weight == "tertiary":
        buttons.append(Button(f"{key}_current", f"{label}, current", _nothing, look=weight, is_current=True))
    if weight != "primary":
        buttons.append(Menu(f"{key}_menu", f"{label}, a menu", [], icon=icon, look=weight))
    return [*buttons, Copy(f"{key}_copy", "Copy", label)] if weight == "secondary" else buttons


def _fields() -> None:
    """Draw the fields of Streamlit and of a bar."""
    st.markdown("##### Fields")
    with st.container(horizontal=True, gap="small", key="style_fields"):
        st.text_input("Text", key="style_text", placeholder="Words", width=200)
        st.selectbox("Choice", _OPTIONS, key="style_choice", width=200)
        st.number_input("Number", key="style_number", value=3, width=200)
    st.text_area("Lines", key="style_lines", placeholder="Words", height=68)
    for key, value in (("style_bar_choice", _OPTIONS[0]), ("style_bar_text", ""), ("style_bar_day", "")):
        state.begin_widget(key, value)
    options = dict(zip(_OPTIONS, _OPTIONS, strict=True))
    parts: list[Item] = [
        TextInput("style_bar_text", "Text", "Words", ":material/search:"),
        DateInput("style_bar_day", "Day"),
        Spacer(),
        Select("style_bar_choice", "Choice", options, ""),
        Select("style_bar_choice_off", "Choice, disabled", {}, "Disabled", disabled=True),
    ]
    bar("style_fields_bar", parts, low=True)
    with st.container(horizontal=True, gap="small", key="style_facts"):
        st.caption("Label of a fact", width=160)
        st.text("Its value", width=320)


def _choices() -> None:
    """Draw the choices of one of several, the switches and the tabs."""
    st.markdown("##### One of several, on or off")
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom", key="style_choices"):
        st.segmented_control("One of several", _OPTIONS, default="One", key="style_switch")
        st.pills("Some of several", _OPTIONS, default="One", key="style_pills")
        st.checkbox("A box", value=True, key="style_box")
        st.toggle("A switch", value=True, key="style_toggle")
    state.begin_widget(_BAR_SWITCH, "One")
    state.begin_widget(_BAR_TABS, "One")
    parts: list[Item] = [
        SegmentedControl(_BAR_SWITCH, "One of several", _OPTIONS),
        Toggle("style_bar_toggle", "A switch"),
    ]
    bar("style_choices_bar", parts, low=True)
    state.begin_widget("style_tabs_choice", "One")
    beside: list[Item] = [
        SegmentedControl(_BAR_TABS, "Tabs", _OPTIONS, look="tabs"),
        Menu("style_tabs_menu", "More", [], look="tertiary"),
        Spacer(),
        Disclosure("style_tabs_filter", "Filter", look="secondary"),
        Select("style_tabs_choice", "Choice", dict(zip(_OPTIONS, _OPTIONS, strict=True)), ""),
        TextInput("style_tabs_text", "Text", "Words", ":material/search:"),
    ]
    bar("style_tabs_bar", beside, low=True)


def _table() -> None:
    """Draw a table of rows, and one with marked differences."""
    st.markdown("##### Table")
    columns = [
        Column("tick", "Tick", 40, "check"),
        Column("name", "Name", 160, grows=True),
        Column("state", "State", 140, "chip"),
        Column("turns", "Turns", 80, "number"),
    ]
    rows = [
        Row([(f"Tick {name}", False), name, chip, turns], name, begins)
        for name, chip, turns, begins in (
            ("Clinic front desk", ("Completed", "green"), "4", False),
            ("Tea welcome", ("Failed", "red"), "12", False),
            ("Lab results", ("Your turn", "violet"), "3", False),
            ("Order desk", ("Running", "blue"), "1", True),
        )
    ]
    rows_list("style_table", Table(columns, rows, "Rows of a table"), chosen=1, on_choose=_ignore)
    marked = [Column(name.lower(), name, 160, "marks", grows=True) for name in ("Field", "A", "B")]
    before, after = [("Green ", "removed"), ("tea", "same")], [("Black ", "added"), ("tea", "same")]
    differing = Row([[("order", "same")], before, after], "order", False)
    rows_list("style_marks", Table(marked, [differing], "Rows of whole texts with what differs"))


def _banners() -> None:
    """Draw a banner of each kind."""
    st.markdown("##### Banners")
    st.error("Something failed: what it was, and what to do.", icon=":material/error:")
    st.warning("Something needs attention first.", icon=":material/warning:")
    st.info("Something is to be known.", icon=":material/info:")
    st.success("Something has worked.", icon=":material/check_circle:")


def _badges() -> None:
    """Draw a badge of each colour, of Streamlit and of a bar."""
    st.markdown("##### Badges")
    with st.container(horizontal=True, gap="xsmall", key="style_badges"):
        for colour in _COLOURS:
            st.badge(colour.capitalize(), icon=":material/circle:", color=colour)
    badges: list[Item] = [Badge(each.capitalize(), ":material/circle:", each) for each in _COLOURS]
    bar("style_badges_bar", badges, low=True)


def _nothing() -> None:
    """Do nothing: the page has controls to be looked at."""


def _ignore(_: object) -> None:
    """Do nothing with a chosen row."""
