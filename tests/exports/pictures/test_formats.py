"""Each format as its readers read it; `dot` where it is installed, else the program of the wheel."""

from __future__ import annotations

import re
import struct
import subprocess
from xml.etree import ElementTree

import pytest

from debugger.errors import InputError
from debugger.exports.pictures import formats
from debugger.exports.pictures.drawing import Drawing
from debugger.exports.pictures.formats import PICTURES, explain_refusal, make_picture
from debugger.exports.pictures.themes import Theme
from debugger.graph.graph import Graph
from debugger.graph.graphviz_program import find_program
from tests.support.factories import direct, say, workflow
from tests.support.pictures import HOSTILE, hostile_drawing, large_drawing

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: bytes) -> str:
    return "".join(each.text or "" for each in ElementTree.fromstring(svg).iter(f"{SVG}text"))


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_hostile_names_make_a_picture_in_every_format(name, theme):
    if missing := explain_refusal(hostile_drawing(), name):
        pytest.skip(missing)

    picture = make_picture(hostile_drawing(), name, Theme(theme))

    begins = {"svg": b"<?xml", "png": b"\x89PNG\r\n", "pdf": b"%PDF-", "dot": b"digraph", "mmd": b"---\n"}
    assert picture.startswith(begins[name])


def test_svg_shows_every_name_as_it_is_written():
    svg = make_picture(hostile_drawing(), "svg", Theme())

    shown = texts(svg).replace("\u00a0", " ")
    for text in (
        "\\N \\G \\E",
        "<b>bold</b>",
        "<<TABLE>",
        "שלום",
        "🦄",
        "javascript:alert(1)",
        "&amp; #quot;",
    ):
        assert "".join(text.split()) in "".join(shown.split())


def test_svg_is_inert_and_has_names():
    svg = make_picture(hostile_drawing(), "svg", Theme())
    root = ElementTree.fromstring(svg)

    assert root.find(f"{SVG}title").text.startswith("back\\slash \\N")
    assert root.find(f"{SVG}desc").text == f"A workflow of {len(HOSTILE)} nodes and {len(HOSTILE) - 1} edges."
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= {
        *("svg", "g", "title", "desc", "text", "path", "polygon", "polyline", "ellipse")
    }
    attributes = {name for each in root.iter() for name in each.attrib}
    assert not any(name.startswith("on") or "href" in name for name in attributes)
    assert b"<!" not in svg
    groups = [each for each in root.iter(f"{SVG}g") if each.get("class") == "edge"]
    assert len(groups) == len(HOSTILE) - 1
    assert all(" to " in each.find(f"{SVG}title").text for each in groups)


def test_program_reads_back_the_dot_it_is_given():
    source = make_picture(hostile_drawing(), "dot", Theme())

    read = subprocess.run([find_program("svg"), "-Tcanon"], input=source, capture_output=True, check=True)

    assert b"rror" not in read.stderr  # a font without a letter is a warning
    assert len(re.findall(rb"^\s*n\d+\s*\[", read.stdout, re.M)) == len(HOSTILE)
    assert len(re.findall(rb"^\s*n\d+ -> n\d+", read.stdout, re.M)) == len(HOSTILE) - 1


def test_mermaid_has_nothing_but_letters_and_entities_within_quotes():
    text = make_picture(hostile_drawing(), "mmd", Theme()).decode()

    quoted = re.findall(r'(?<=[(\[|])"(.*?)"(?=[)\]|])', text)
    assert len(quoted) == 2 * len(HOSTILE) - 1
    for label in quoted:
        rest = re.sub(r"#\d+;|<br/>", "", label)
        assert not re.search(r"[!-/:-@\[-`{-~]", rest), label
    assert "#92;N" in text
    assert "#92;n" not in text


def test_300_nodes_fit_into_the_limits():
    svg = make_picture(large_drawing(300), "svg", Theme())

    assert svg.count(b'class="node"') == 300


def test_unknown_format_and_too_many_nodes_are_refused(monkeypatch):
    with pytest.raises(InputError, match=r"no format 'gif'.*svg, png"):
        make_picture(large_drawing(2), "gif", Theme())
    monkeypatch.setattr(formats, "MOST_SHAPES", 2)
    with pytest.raises(InputError, match="has 3 nodes; a picture has at most 2"):
        make_picture(large_drawing(3), "svg", Theme())
    assert make_picture(large_drawing(3), "dot", Theme())


def test_png_is_within_its_bound():
    picture = make_picture(large_drawing(300), "png", Theme())

    assert max(struct.unpack(">II", picture[16:24])) <= 60 * 144 + 1


def test_workflow_without_nodes_is_a_picture_with_its_title():
    empty = Drawing.of(Graph(workflow()), "")

    assert "Workflow" in texts(make_picture(empty, "svg", Theme()))
    assert make_picture(empty, "mmd", Theme()).startswith(b'---\ntitle: "Workflow"')


def test_edges_of_one_pair_are_told_apart():
    parts = [
        say("a"),
        say("b"),
        direct("a", "b", logical_id="x", name="left"),
        direct("a", "b", name="right"),
    ]
    root = ElementTree.fromstring(make_picture(Drawing.of(Graph(workflow(*parts)), "Two"), "svg", Theme()))

    titles = [each.find(f"{SVG}title").text for each in root.iter(f"{SVG}g") if each.get("class") == "edge"]
    assert titles == ["A to B: left", "A to B: right"]
