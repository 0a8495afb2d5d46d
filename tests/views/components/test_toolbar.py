from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from debugger.views.components.toolbar import (
    Badge,
    Button,
    FullScreen,
    Line,
    Link,
    Menu,
    Progress,
    Scrubber,
    Spacer,
    Text,
    Toggle,
)
from tests.views.bars import bars, control, items, keys, tell, use

PAGE = """
import streamlit as st

from debugger.views.components.toolbar import *

def note(*words):
    st.session_state.noted.append(words)

st.session_state.setdefault("noted", [])
{drawn}
"""


@pytest.fixture
def draw():
    """Gives the first drawing of a page on which `note` keeps what it is called with."""
    return lambda drawn: AppTest.from_string(PAGE.format(drawn=drawn)).run()


def noted(app):
    return app.session_state["noted"]


def test_text_tells_how_it_looks_and_whether_it_yields():
    told = Text("Step", look="heading", help="One by one", yields=True).to_props()

    assert told == {"kind": "words", "text": "Step", "look": "heading", "help": "One by one", "yields": True}


def test_badge_tells_its_colour_and_name_of_its_icon():
    told = Badge("Your turn", ":material/chat_bubble:", "violet", help="Say something").to_props()

    assert told["kind"] == "badge"
    assert (told["text"], told["icon"], told["colour"]) == ("Your turn", "chat_bubble", "violet")
    assert told["help"] == "Say something"


def test_meter_tells_its_text_and_its_share():
    assert Progress("2 of 4", 0.5).to_props() == {"kind": "meter", "text": "2 of 4", "share": 0.5}


def test_space_tells_nothing_but_itself():
    assert Spacer().to_props() == {"kind": "space"}


def test_full_screen_button_has_its_shortcut():
    props = {"kind": "full screen", "key": "full_screen", "shortcut": "F"}

    assert FullScreen("full_screen", "F").to_props() == props


def test_button_tells_its_words_its_reason_and_its_shortcut():
    button = Button("stop", "Stop", print, icon=":material/stop:", help="End it", shortcut="Shift+X")

    told = button.to_props()

    assert (told["kind"], told["key"], told["label"], told["icon"]) == ("button", "stop", "Stop", "stop")
    assert (told["look"], told["shows"], told["disabled"]) == ("secondary", "words", False)
    assert (told["help"], told["shortcut"], told["keys"]) == ("End it", "Shift+X", "Shift + X")


def test_button_has_its_shortcut_though_it_does_not_name_it():
    told = Button("next", "Next", print, shortcut="J", names_keys=False).to_props()

    assert (told["shortcut"], told["keys"]) == ("J", "")


def test_link_tells_where_it_leads_and_whether_that_is_on_view():
    told = Link("to_runs", "Runs", "runs", print, icon=":material/history:", is_current=True).to_props()

    assert (told["kind"], told["key"], told["label"], told["icon"]) == ("link", "to_runs", "Runs", "history")
    assert (told["href"], told["is_current"]) == ("runs", True)


def test_toggle_tells_whether_it_is_on(draw):
    app = draw('st.session_state.setdefault("tint", True); bar("one", [Toggle("tint", "Time", help="Tint")])')

    (told,) = items(app, "one")
    assert told == {
        "kind": "toggle",
        "key": "tint",
        "label": "Time",
        "value": True,
        "help": "Tint",
        "disabled": False,
    }


def test_disclosure_tells_whether_it_is_open(draw):
    app = draw('bar("one", [Disclosure("more", "Filters", ":material/filter_list:", "secondary")])')

    (told,) = items(app, "one")
    assert (told["kind"], told["key"], told["label"], told["value"]) == (
        "disclosure",
        "more",
        "Filters",
        False,
    )
    assert (told["icon"], told["look"]) == ("filter_list", "secondary")


def test_switch_tells_its_options_with_their_names_and_one_that_holds(draw):
    app = draw(
        'st.session_state.setdefault("way", "main")\n'
        'bar("one", [SegmentedControl("way", "Way of", ("all", "main"), {"all": "All threads"}, wide=True)])'
    )

    (told,) = items(app, "one")
    assert told["options"] == [["all", "All threads"], ["main", "main"]]
    assert (told["value"], told["label"], told["wide"]) == ("main", "Way of", True)


def test_choice_tells_what_people_read_and_what_is_held(draw):
    app = draw('bar("one", [Select("version", "Version", {"1": "v1", "0": "v0"}, "The active version")])')

    (told,) = items(app, "one")
    assert (told["kind"], told["key"], told["label"], told["value"]) == ("choice", "version", "Version", None)
    assert told["options"] == [["1", "v1"], ["0", "v0"]]
    assert told["placeholder"] == "The active version"


def test_choice_that_is_disabled_takes_nothing(draw):
    app = draw('bar("one", [Select("version", "Version", {"1": "v1"}, "", on_change=note, disabled=True)])')

    control(app, "version").use("1")

    assert items(app, "one")[0]["disabled"]
    assert noted(app) == []


@pytest.mark.parametrize(
    ("value", "is_taken"), [("2026-07-03", True), ("", True), ("3 July", False), (7, False)]
)
def test_day_takes_iso_dates_alone(draw, value, is_taken):
    app = draw('bar("one", [DateInput("since", "From", on_change=note)])')

    control(app, "since").use(value)

    assert noted(app) == ([()] if is_taken else [])


def test_field_tells_what_it_holds_and_what_leads_to_it(draw):
    app = draw(
        'bar("one", [TextInput("find", "Find", "Find …", ":material/search:", "Shift+S", grows=True)])'
    )

    (told,) = items(app, "one")
    assert (told["kind"], told["key"], told["label"], told["value"]) == ("field", "find", "Find", "")
    assert (told["placeholder"], told["icon"], told["shortcut"], told["grows"]) == (
        "Find …",
        "search",
        "Shift+S",
        True,
    )


def test_parts_stand_in_order_in_which_they_are_given(draw):
    app = draw('bar("one", [Text("A"), Spacer(), Button("b", "B", note)], low=True)')

    assert [item["kind"] for item in items(app, "one")] == ["words", "space", "button"]


def test_press_calls_what_belongs_to_button_with_its_arguments(draw):
    app = draw('bar("one", [Button("a", "A", note, ("first", 1)), Button("b", "B", note, ("second", 2))])')

    use(app, "b")

    assert noted(app) == [("second", 2)]


def test_each_press_counts_once_however_often_page_is_drawn(draw):
    app = draw('bar("one", [Button("a", "A", note)])')

    use(app, "a")
    app.run()
    use(app, "a")

    assert noted(app) == [(), ()]


def test_press_has_its_effect_before_page_is_drawn(draw):
    app = draw('bar("one", [Text(str(len(st.session_state.noted))), Button("a", "A", note)])')

    use(app, "a")

    assert items(app, "one")[0]["text"] == "1"


def test_disabled_button_is_not_pressed(draw):
    app = draw('bar("one", [Button("a", "A", note, disabled=True)])')

    use(app, "a")

    assert control(app, "a").disabled
    assert noted(app) == []


def test_link_is_followed(draw):
    app = draw('bar("one", [Link("to_runs", "Runs", "runs", note, ("runs",))])')

    use(app, "to_runs")

    assert noted(app) == [("runs",)]


def test_toggle_is_switched_on_and_off_and_says_so(draw):
    app = draw('bar("one", [Toggle("tint", "Time", on_change=note)])')

    use(app, "tint", True)
    on = control(app, "tint").value
    use(app, "tint", False)

    assert (on, control(app, "tint").value) == (True, False)
    assert app.session_state["tint"] is False
    assert len(noted(app)) == 2


def test_disabled_toggle_stays_as_it_is(draw):
    app = draw('bar("one", [Toggle("tint", "Time", disabled=True, on_change=note)])')

    use(app, "tint", True)

    assert control(app, "tint").value is False
    assert noted(app) == []


def test_disclosure_opens_and_closes(draw):
    app = draw('more = Disclosure("more", "Filters")\nbar("one", [more])\nif more.is_open: st.text("Within")')

    use(app, "more", True)
    within = [text.value for text in app.text]
    use(app, "more", False)

    assert within == ["Within"]
    assert not app.text


def test_option_is_chosen_and_said(draw):
    app = draw('bar("one", [SegmentedControl("view", "View", ("Graph", "Table"), on_change=note)])')

    use(app, "view", "Table")

    assert control(app, "view").value == app.session_state["view"] == "Table"
    assert noted(app) == [()]


@pytest.mark.parametrize("value", ["Picture", "", None, 1, ["Table"], {"Table": 1}])
def test_option_that_is_not_offered_is_refused(draw, value):
    app = draw(
        'st.session_state.setdefault("view", "Graph")\n'
        'bar("one", [SegmentedControl("view", "View", ("Graph", "Table"), on_change=note)])'
    )

    use(app, "view", value)

    assert not app.exception
    assert control(app, "view").value == "Graph"
    assert noted(app) == []


def test_one_of_many_is_chosen_and_what_is_not_among_them_refused(draw):
    app = draw('bar("one", [Select("version", "Version", {"1": "v1", "0": "v0"}, "Active", on_change=note)])')

    use(app, "version", "0")
    for value in ("2", 1, None, ["1"], {}):
        use(app, "version", value)

    assert not app.exception
    assert control(app, "version").value == "0"
    assert control(app, "version").options == ["v1", "v0"]
    assert noted(app) == [()]


def test_field_holds_what_is_written(draw):
    app = draw('bar("one", [TextInput("find", "Find", "Find …", ":material/search:")])')

    use(app, "find", "tea **and** cake")

    assert control(app, "find").value == app.session_state["find"] == "tea **and** cake"


@pytest.mark.parametrize("value", [None, 1, ["tea"]])
def test_field_holds_nothing_but_text(draw, value):
    app = draw('bar("one", [TextInput("find", "Find", "Find …", ":material/search:")])')

    use(app, "find", value)

    assert not app.exception
    assert control(app, "find").value == ""


@pytest.mark.parametrize(
    "used", [[[1, "gone", 1]], [[1, "a"]], [["1", "a", 1]], [[1, ["a"], 1]], [None], {"key": "a"}, "a", 7]
)
def test_what_no_control_of_bar_can_have_told_is_ignored(draw, used):
    app = draw('bar("one", [Button("a", "A", note)])')

    tell(app, bars(app)["one"], used)

    assert not app.exception
    assert noted(app) == []


def test_control_that_is_no_longer_drawn_is_ignored(draw):
    app = draw('bar("one", [] if st.session_state.noted else [Button("a", "A", note)])')
    gone = control(app, "a")
    gone.use()

    gone.use()

    assert not app.exception
    assert noted(app) == [()]


def test_what_is_told_again_has_its_effect_once(draw):
    app = draw('bar("one", [Button("a", "A", note), Button("b", "B", note, ("b",))])')

    tell(app, bars(app)["one"], [[1, "a", None]])
    tell(app, bars(app)["one"], [[1, "a", None], [2, "b", None]])

    assert noted(app) == [(), ("b",)]


def test_what_is_used_while_server_is_at_work_all_arrives(draw):
    find = 'TextInput("find", "Find", "Find …", ":material/search:")'
    app = draw(f'bar("one", [{find}, Button("a", "A", note)])')

    tell(app, bars(app)["one"], [[1, "find", "te"], [2, "find", "tea"], [3, "a", None]])

    assert control(app, "find").value == "tea"
    assert noted(app) == [()]


def test_button_that_is_pressed_twice_before_page_answers_is_pressed_once(draw):
    app = draw('bar("one", [Button("a", "A", note)])')

    tell(app, bars(app)["one"], [[1, "a", None], [2, "a", None]])

    assert noted(app) == [()]


def test_of_button_that_counts_each_press_has_its_effect(draw):
    app = draw('bar("one", [Button("a", "A", note, counts=True)])')

    tell(app, bars(app)["one"], [[1, "a", None], [2, "a", None], [3, "a", None]])
    tell(app, bars(app)["one"], [[3, "a", None], [4, "a", None]])

    assert noted(app) == [(), (), (), ()]


def test_two_bars_of_page_do_not_mix(draw):
    app = draw(
        'bar("one", [Button("a", "A", note, ("one",)), SegmentedControl("view", "View", ("x", "y"))])\n'
        'bar("two", [Button("b", "B", note, ("two",)), SegmentedControl("mode", "Mode", ("x", "y"))])'
    )

    use(app, "b")
    use(app, "mode", "y")
    tell(app, bars(app)["one"], [[1, "b", None]])

    assert noted(app) == [("two",)]
    assert (control(app, "view").value, control(app, "mode").value) == (None, "y")


def test_disabled_disclosure_stays_closed_whatever_it_holds(draw):
    app = draw(
        "st.session_state.more = True\n"
        'more = Disclosure("more", "Filters", disabled=True)\nbar("one", [more])\n'
        'if more.is_open: st.text("Within")'
    )

    use(app, "more", True)

    assert control(app, "more").value is False
    assert not app.text


def test_key_closes_what_is_open_and_opens_nothing(draw):
    app = draw('bar("one", [Disclosure("more", "Edit", closing_key="Escape")])')
    closed = items(app, "one")[0]["shortcut"]

    use(app, "more", True)

    assert closed is None
    assert items(app, "one")[0]["shortcut"] == "Escape"


def test_bars_below_each_other_are_one_element_and_each_control_is_heard(draw):
    app = draw(
        'bars("all", [Line("first", [Button("a", "A", note, ("a",))]), '
        'Line("second", [Text("Below"), Button("b", "B", note, ("b",))], low=True)])'
    )

    use(app, "a")
    use(app, "b")

    assert list(bars(app)) == ["all"]
    assert [item["kind"] for item in items(app, "second")] == ["words", "button"]
    assert noted(app) == [("a",), ("b",)]


def test_what_bar_holds_outlives_its_not_being_drawn(draw):
    app = draw(
        'more = Disclosure("more", "More")\nbar("one", [more])\n'
        'if more.is_open: bar("two", [TextInput("find", "Find", "Find …", ":material/search:")])'
    )
    use(app, "more", True)
    use(app, "find", "tea")

    use(app, "more", False)
    app.run()
    use(app, "more", True)

    assert control(app, "find").value == "tea"


MENU = """
bar("one", [Menu("more", "More", [
    Text("Run again", look="heading"),
    Button("restart", "Restart", note, ("again",)),
    Button("changed", "With changes", note, disabled=True),
    Toggle("tint", "Tint", on_change=note),
])])
"""


def test_menu_names_itself_and_its_items():
    items = [Text("Run again", look="heading"), Button("restart", "Restart", print)]

    props = Menu(
        "more", "More", items, icon=":material/more_horiz:", shows="icon", help="The rest"
    ).to_props()

    assert (props["kind"], props["key"], props["label"], props["icon"]) == (
        "menu",
        "more",
        "More",
        "more_horiz",
    )
    assert (props["shows"], props["help"]) == ("icon", "The rest")
    assert props["items"] == [item.to_props() for item in items]


def test_controls_of_menu_are_used(draw):
    app = draw(MENU)

    use(app, "restart")
    use(app, "tint", True)
    use(app, "changed")

    assert noted(app) == [("again",), ()]
    assert control(app, "tint").value is True


def test_menu_itself_takes_no_use(draw):
    app = draw(MENU)

    tell(app, bars(app)["one"], [[1, "more", None]])

    assert not app.exception
    assert noted(app) == []


def test_line_counts_controls_of_menus_among_its_own():
    menu = Menu("more", "More", [Text("Run"), Button("b", "B", print), Toggle("c", "C")])

    line = Line("", [Text("A"), Button("a", "A", print), menu, Spacer()])

    assert [control.key for control in line.controls] == ["a", "b", "c"]


@pytest.mark.parametrize(("overflow", "sent"), [(None, None), ((), []), (("a", "b"), ["a", "b"])])
def test_line_sends_what_gives_way(overflow, sent):
    assert Line("first", [], overflow=overflow).to_props()["overflow"] == sent


def test_control_that_may_give_way_is_used_the_same(draw):
    app = draw(
        'bars("all", [Line("first", [Button("a", "A", note), Menu("more", "More", [])], overflow=("a",))])'
    )

    use(app, "a")

    assert noted(app) == [()]
    assert keys(app) == {"a", "more"}


@pytest.fixture
def heard():
    return []


def scrubber(heard, **fields):
    places = {"value": 3, "last": 9, "words": "turn 1, event 3 of 9", "marks": [0, 5]}
    calls = {"on_play": lambda: heard.append("play"), "on_pause": lambda: heard.append("pause")}
    return Scrubber("scrubber", "Event on view", on_move=heard.append, **places, **calls, **fields)


def test_scrubber_tells_place_marks_and_words(heard):
    props = scrubber(heard).to_props()

    assert (props["value"], props["last"], props["marks"]) == (3, 9, [0, 5])
    assert props["words"] == "turn 1, event 3 of 9"
    assert not props["disabled"]
    assert (props["hold_ms"], props["shortcut"]) == (1000, None)


def test_scrubber_sends_hold_time_and_key(heard):
    props = scrubber(heard, hold_ms=2500, shortcut="Space").to_props()

    assert (props["hold_ms"], props["shortcut"]) == (2500, "Space")


@pytest.mark.parametrize("value", [0, 9, "play", "pause"])
def test_scrubber_hands_on_places_and_play(heard, value):
    scrubber(heard).on_event(value)

    assert heard == [value]


@pytest.mark.parametrize("value", [-1, 10, True, None, "5", 1.5])
def test_scrubber_ignores_what_is_no_place(heard, value):
    scrubber(heard).on_event(value)

    assert heard == []


def test_scrubber_with_reason_does_nothing(heard):
    still = scrubber(heard, help="No event matches.")

    still.on_event(2)

    assert heard == []
    assert (still.to_props()["disabled"], still.to_props()["help"]) == (True, "No event matches.")
