from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from debugger.exports.pictures.dot import dot_graph
from debugger.exports.pictures.drawing import Drawing
from debugger.exports.pictures.formats import make_picture
from debugger.exports.pictures.themes import Theme
from debugger.graph.graph import Graph
from debugger.graph.groups import Group
from tests.support.factories import direct, say, workflow


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


def test_edges_of_an_opened_super_node_itself_are_not_those_of_nodes_in_it():
    parts = [say("a"), say("sub", type="super_node"), say("sub/b"), say("sub/c")]
    edges = [
        direct("a", "sub"),
        direct("sub", "sub"),
        direct("sub/c", "sub"),
        direct("sub/b", "sub/c"),
        direct("sub", "a"),
    ]
    groups = [Group("sub", "In", ("sub/b", "sub/c"), "super_node")]

    drawing = Drawing.of(Graph(workflow(*parts, *edges)), "T", groups=groups)
    source = dot_graph(drawing, Theme()).source

    keys = {shape.name[0]: shape.key for shape in drawing.shapes}
    a, b, c = keys["A"], keys["Sub/b"], keys["Sub/c"]
    drawn = re.findall(r"^\t(\w+) -> (\w+)", source, re.MULTILINE)
    assert sorted(drawn) == sorted([(a, b), ("g0_itself", "g0_itself"), (c, "g0_itself"), (b, c), (c, a)])
    assert source.count("shape=point") == 1
    svg = ElementTree.fromstring(make_picture(drawing, "svg", Theme()))
    titles = [each.text for each in svg.iter("{http://www.w3.org/2000/svg}title")]
    assert {"In to In", "Sub/c to In", "A to In", "In to A", "Sub/b to Sub/c"} <= set(titles)
    assert not [title for title in titles if "itself" in title]
