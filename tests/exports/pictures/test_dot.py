from __future__ import annotations

import pytest

from debugger.exports.pictures.dot import dot_graph
from debugger.exports.pictures.drawing import Drawing
from debugger.exports.pictures.themes import Theme
from debugger.graph.graph import Graph
from tests.support.factories import say, workflow


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Ask (again): yes/no?", "Ask (again): yes/no?"),
        ("say_it 1.2", "say_it 1.2"),
        ("שלום 🦄 é", "שלום 🦄 é"),
        ("<b>&amp;", "&#60;b&#62;&#38;amp&#59;"),
        ("\\N", "&#92;&#92;N"),  # Graphviz reads escapes after entities
        ("a\\", "a&#92;&#92;"),
        ("]", "&#93;"),  # an XML parser keeps a bracket back until it knows that no ]]> begins
        ("x\\]", "x&#92;&#92;&#93;"),
        ('"#;{|}`', "&#34;&#35;&#59;&#123;&#124;&#125;&#96;"),
    ],
)
def test_text_is_written_so_that_nothing_in_it_is_read_as_markup(name, written):
    source = dot_graph(Drawing.of(Graph(workflow(say("a", name=name))), "T"), Theme()).source

    assert f">{written}</FONT></B></TD></TR><TR>" in source
