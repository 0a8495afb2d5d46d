from __future__ import annotations

from debugger.views.panels.glossary import glossary_rows
from tests.views.bars import use


def test_help_explains_words_of_the_page(app):
    app.run()

    use(app, "help")

    assert not app.exception
    shown = "\n".join(markdown.value for markdown in app.markdown)
    assert "**breakpoint**: a place where a run is paused" in shown
    assert all(f"- **{word}**: {meaning}" in shown for word, meaning in glossary_rows())


def test_glossary_has_each_word_once():
    words = [word for word, _ in glossary_rows()]

    assert {"run", "turn", "event", "node", "edge", "transition", "thread", "paused", "breakpoint"} <= set(
        words
    )
    assert {"mock", "fault", "fork", "cursor", "live"} <= set(words)
    assert len(words) == len(set(words))
