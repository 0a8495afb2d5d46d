from __future__ import annotations

import pytest

from debugger.exports.pictures.drawing import Drawing
from debugger.exports.pictures.mermaid import MOST_CHARACTERS, explain_mermaid_limits, mermaid_text
from debugger.exports.pictures.themes import COLOURS, Theme
from debugger.graph.graph import Graph
from tests.support.factories import direct, say, workflow
from tests.support.pictures import large_drawing


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Ask again", "Ask again"),
        ("1. one", "1#46; one"),
        ('"#;`', "#34;#35;#59;#96;"),
        ("a\\nb", "a#92;#8203;nb"),  # what Mermaid finds after it has read entities: a line's end,
        ("$$x$$", "#36;#8203;#36;x#36;#8203;#36;"),  # a formula,
        ("fa:fa-ban no", "fa#58;#8203;fa#45;ban no"),  # an icon
        ("שלום 🦄", "שלום 🦄"),
    ],
)
def test_text_is_written_so_that_nothing_in_it_is_read_as_markup(name, written):
    text = mermaid_text(Drawing.of(Graph(workflow(say("a", name=name))), "T"), Theme())

    assert f'n0("{written}<br/>' in text


def test_title_is_readable():
    text = mermaid_text(Drawing.of(Graph(workflow(say("a"))), 'Tea "שלום" 🦄'), Theme())

    assert text.startswith('---\ntitle: "Tea \\"שלום\\" 🦄"\nconfig:\n')


@pytest.mark.parametrize("name", ["light", "dark"])
def test_labels_and_title_have_the_colours_of_the_page(name):
    text = mermaid_text(Drawing.of(Graph(workflow(say("a"))), "T"), Theme(name))

    assert f'    edgeLabelBackground: "{COLOURS[name]["background"]}"\n' in text
    assert f'    textColor: "{COLOURS[name]["text"]}"\n' in text


def test_300_nodes_are_within_the_limits_of_mermaid():
    drawing = large_drawing(300)

    assert len(mermaid_text(drawing, Theme())) < MOST_CHARACTERS / 2
    assert explain_mermaid_limits(drawing, Theme()) == ""


def test_more_than_mermaid_draws_is_told():
    edges = [direct("a", "b", logical_id=f"e{place}") for place in range(501)]
    drawing = Drawing.of(Graph(workflow(say("a"), say("b"), *edges)), "T")

    assert "501 edges. Mermaid draws up to 50,000 and 500" in explain_mermaid_limits(drawing, Theme())
