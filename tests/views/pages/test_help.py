from __future__ import annotations

import json

import pytest

from debugger.settings import PREFIX
from debugger.views.panels.help import topics
from debugger.views.shortcuts import BUILT_IN, SHORTCUTS, ShortcutState
from tests.views.bars import use
from tests.views.records import record_of


@pytest.fixture
def app(view):
    """The page."""
    return view("help")


def documents(app):
    """Return the markup of the page's documents by their keys."""
    return [
        json.loads(each.proto.json)["html"] for each in app.get("bidi_component") if "html" in each.proto.json
    ]


def shown(app, **parameters):
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return documents(app)


@pytest.mark.parametrize("topic", [name for names in topics.listed_topics().values() for name in names])
def test_each_topic_is_drawn(app, topic):
    listed, text = shown(app, topic=topic)

    assert f'href="help?topic={topic}" aria-current="page"' in listed
    assert f">{topics.title_of(topic).replace('&', '&amp;')}</h1>" in text


def test_unknown_topic_shows_the_first(app):
    _, text = shown(app, topic="../../secrets")

    assert ">First run in five minutes</h1>" in text


def test_place_of_earlier_version_is_shown(app):
    listed, text = shown(app, topic="deploy", at="postgresql")

    assert 'href="help?topic=team" aria-current="page"' in listed
    assert 'id="store"' in text


def test_search_lists_places(app):
    shown(app)

    app.text_input(key="help_search").set_value("looping <risk>").run()
    assert "&lt;risk&gt;" in documents(app)[0]

    app.text_input(key="help_search").set_value("looping risk").run()
    assert "help?topic=troubleshooting&amp;at=the-run-stops-as-a-looping-risk" in documents(app)[0]


def test_keys_list_every_shortcut(app):
    _, text = shown(app, topic="keys")

    for shortcut in (*SHORTCUTS.values(), *BUILT_IN):
        assert f"<code>{shortcut.keys}</code>" in text


def test_plain_keys_are_switched_off_for_tab(app):
    shown(app, topic="keys")

    use(app, "has_plain_keys", False)

    assert record_of(app, ShortcutState).has_plain_keys is False


def test_settings_show_values_in_effect(app, monkeypatch):
    monkeypatch.setenv(f"{PREFIX}MAX_NODE_RUNS", "77")

    _, text = shown(app, topic="settings")

    assert "<td><code>77</code></td>\n<td>environment</td>\n<td><code>100</code></td>" in text


def test_help_opens_at_the_page_on_view(view):
    app = view("runs")
    app.run()

    use(app, "help")

    assert not app.exception
    assert dict(app.query_params) == {"topic": "pages", "at": "runs"}
