from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.views.talk import box, notes, said, show_earlier, speakers, tell, words

PAGE = """
import streamlit as st

from debugger.analysis.chat import ChatMessage
from debugger.views.components.chat import *

def note(*words):
    st.session_state.noted.append(words)

def warning(place):
    return ChatMessage("warning", f"Beware {{place}}", "A", 1, place)

st.session_state.setdefault("noted", [])
{drawn}
"""


@pytest.fixture
def draw():
    """Gives the first drawing of a page on which `note` keeps what it is called with."""
    return lambda drawn: AppTest.from_string(PAGE.format(drawn=drawn)).run()


def noted(app):
    return app.session_state["noted"]


def test_message_has_text_speaker_and_time(draw):
    app = draw('chat_box("talk", [ChatMessage("agent", "Hello", "Greeting", 3, 7)], height=200)')

    assert said(app) == [{"kind": "agent", "text": "Hello", "caption": "Greeting · turn 3"}]


def test_what_came_of_background_work_says_so(draw):
    app = draw('chat_box("talk", [ChatMessage("agent", "Done", "Poll", 2, 7, True)], height=200)')

    assert speakers(app) == ["Poll · turn 2, background"]


def test_of_user_only_words_are_told(draw):
    app = draw('chat_box("talk", [ChatMessage("user", "Hi", "Greeting", 3, 7)], height=200)')

    assert said(app) == [{"kind": "user", "text": "Hi", "caption": ""}]


def test_words_whose_speaker_is_not_known_stand_alone(draw):
    app = draw('chat_box("talk", [ChatMessage("agent", "Welcome", "", 1, None)], height=200)')

    assert (words(app), speakers(app)) == (["Welcome"], [])


def test_words_are_handed_on_as_they_are(draw):
    text = "<b>bold</b>\\n  *stars* :material/flag: $x$ \\u2067 </script>"

    app = draw(f'chat_box("talk", [ChatMessage("user", "{text}", "", 1, 0)], height=200)')

    assert words(app) == ["<b>bold</b>\n  *stars* :material/flag: $x$ \u2067 </script>"]


def test_notes_stand_between_words(draw):
    app = draw(
        'chat_box("talk", [warning(1), ChatMessage("user", "Hi", "", 1, 2), '
        'ChatMessage("error", "It broke", "A", 1, 3)], height=200)'
    )

    assert [item["kind"] for item in said(app)] == ["warning", "user", "error"]
    assert notes(app) == ["Beware 1", "It broke"]


def test_many_warnings_in_row_are_folded_under_their_number(draw):
    app = draw(
        'chat_box("talk", [*map(warning, (4, 5, 6)), ChatMessage("user", "Hi", "", 1, 7)], height=200)'
    )

    folded, _ = said(app)
    assert (folded["kind"], folded["label"]) == ("folded", "3 warnings")
    assert folded["texts"] == ["Beware 4", "Beware 5", "Beware 6"]


def test_folded_warnings_are_known_again_when_there_is_one_more(draw):
    app = draw(
        'st.button("More", key="more")\n'
        'chat_box("talk", list(map(warning, range(4, 8 if st.session_state.more else 7))), height=200)'
    )
    before = said(app)[0]

    app.button("more").click().run()

    after = said(app)[0]
    assert (before["first"], after["first"]) == (4, 4)
    assert after["label"] == "4 warnings"


def test_what_was_said_earlier_is_asked_for_and_put_away_again(draw):
    app = draw('chat_box("talk", [], height=200, earlier=ShowEarlier("Show 70 earlier", False, note))')
    assert box(app)["earlier"] == {"label": "Show 70 earlier", "is_shown": False}

    show_earlier(app)
    show_earlier(app, is_shown=False)

    assert noted(app) == [(True,), (False,)]


def test_nothing_more_is_asked_for_where_all_is_shown(draw):
    app = draw('chat_box("talk", [], height=200)')

    show_earlier(app)

    assert box(app)["earlier"] is None
    assert not app.exception


def test_what_no_switch_tells_is_passed_over(draw):
    app = draw('chat_box("talk", [], height=200, earlier=ShowEarlier("Show 70 earlier", False, note))')

    tell(app, "shown", {"all": 1})

    assert not app.exception
    assert noted(app) == []


def test_empty_box_says_what_would_be_here(draw):
    app = draw('chat_box("talk", [], height=200, empty=Line("Words appear here."))')

    assert box(app)["empty"] == {"text": "Words appear here.", "icon": ""}


def test_what_is_under_way_is_told_below_words(draw):
    app = draw('chat_box("talk", [], height=200, under_way=Line("The workflow is working …", "pace"))')

    assert box(app)["under_way"] == {"text": "The workflow is working …", "icon": "pace"}
    assert box(app)["empty"] is None


TALK = """
talk = [ChatMessage(role, words, "A", at, at) for at, (role, words) in enumerate(
    [("agent", "Hello"), ("user", "Hi"), ("agent", "Tea?"), ("user", "Yes")])]
"""


def test_later_messages_and_the_one_at_cursor_are_named(draw):
    app = draw(TALK + "chat_box('talk', talk, height=200, later=[False, False, True, True])")

    assert box(app)["cursor"] == {"here": 1, "later": [2, 3]}
    assert words(app) == ["Hello", "Hi", "Tea?", "Yes"]


def test_live_conversation_has_no_cursor(draw):
    app = draw(TALK + "chat_box('talk', talk, height=200)")

    assert box(app)["cursor"] is None
    assert "event" not in said(app)[0], "nothing takes the choice"


def test_chosen_message_tells_its_event_and_nothing_else(draw):
    app = draw(TALK + "chat_box('talk', talk, height=200, on_choose=note)")

    tell(app, "chosen", 2)
    tell(app, "chosen", "2")
    tell(app, "chosen", True)

    assert [item["event"] for item in said(app)] == [0, 1, 2, 3]
    assert noted(app) == [(2,)]
