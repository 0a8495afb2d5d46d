from __future__ import annotations

import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

from debugger.views.components import factory
from debugger.views.components.factory import component_file

ADDRESS = re.compile(r'"elements/([a-z_]+-[0-9a-f]{16}\.js)"')


def drawn(source):
    """An element as it is sent to a browser."""
    (element,) = AppTest.from_string(source).run().get("bidi_component")
    return element.proto


def test_what_is_sent_with_drawing_fetches_rest_of_element():
    bar = drawn("from debugger.views.components.toolbar import bar\nbar('one', [])")

    content = component_file(ADDRESS.search(bar.js_content)[1])

    assert len(bar.js_content + bar.css_content + bar.html_content) < 600
    assert content.startswith(b"// Bars of words and controls")
    assert b".bar.low" in content


def test_scripts_of_element_are_one_file_in_their_order():
    box = drawn(
        "from debugger.views.components.graph.component import _PICTURE\n_PICTURE(key='one', data={})"
    )

    content = component_file(ADDRESS.search(box.js_content)[1])

    places = [content.index(word) for word in (b"function build(", b"function apply(", b"function draw(")]
    assert places == sorted(places)
    assert content.count(b"export default") == 1


def test_scripts_know_neither_streamlit_nor_page():
    folder = Path(factory.__file__).parent
    of_page = {"streamlit.js", "focus.js", "dialogs.js", "colour_scheme.js"}
    words = re.compile(r"setStateValue|setTriggerValue|parentElement|data-testid|stDialog")

    named = {path.name for path in folder.rglob("*.js") if words.search(path.read_text(encoding="utf-8"))}

    assert named == of_page


def test_kept_events_are_told_to_browser():
    box = drawn(
        "from debugger.views.components.graph.component import _PICTURE\n_PICTURE(key='one', data={})"
    )

    content = component_file(ADDRESS.search(box.js_content)[1])

    assert b'const KEPT = ["selected"];' in content


def test_another_content_has_another_name_and_old_one_is_still_had():
    first = factory._keep("thing", b"let a;")
    second = factory._keep("thing", b"let b;")

    assert first != second
    assert (component_file(first), component_file(second)) == (b"let a;", b"let b;")


def test_of_name_that_was_never_given_nothing_is_had():
    assert component_file("control_bar-0000000000000000.js") is None
