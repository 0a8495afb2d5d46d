"""Each format as its readers read it; `dot` where it is installed, else the program of the wheel."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sysconfig
import zlib
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import pytest

from debugger.errors import InputError
from debugger.exports.pictures import formats
from debugger.exports.pictures.drawing import Drawing
from debugger.exports.pictures.formats import PICTURES, explain_refusal, make_picture
from debugger.exports.pictures.themes import Theme
from debugger.graph import graphviz_program as program_module
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


@pytest.mark.parametrize("name", ["dot", "graphviz-pure"])
def test_svg_shows_every_text_as_it_is_written(monkeypatch, name):
    program = shutil.which(name) or shutil.which(str(Path(sysconfig.get_path("scripts"), name)))
    if program is None:
        pytest.skip(f"{name} is not installed")
    monkeypatch.setattr(program_module, "find_program", lambda output: program)
    drawing = hostile_drawing()

    root = ElementTree.fromstring(make_picture(drawing, "svg", Theme()))

    shown = {
        each.get("id"): "".join("".join(text.itertext()) for text in each.iter(f"{SVG}text"))
        for each in root.iter(f"{SVG}g")
    }
    wanted = {shape.key: (*shape.name, *shape.captions) for shape in drawing.shapes}
    wanted |= {line.key: line.label for line in drawing.lines}
    for key, lines in wanted.items():
        assert "".join(shown[key].split()) == "".join("".join(lines).split())


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


def test_png_of_a_long_chain_can_be_read_and_is_within_its_bound():
    picture = make_picture(large_drawing(300), "png", Theme())

    width, height = struct.unpack(">II", picture[16:24])
    assert height == pytest.approx(16_384, abs=200)
    assert width * height < 8_640**2
    picture = make_picture(large_drawing(20), "png", Theme())
    assert max(struct.unpack(">II", picture[16:24])) < 4_000


@pytest.mark.parametrize(
    ("size", "inches"),
    [((1000, 2000), 0), ((8640, 8640), 0), ((8640, 6000), 72), ((4000, 8640), 88), ((277, 8640), 113)],
)
def test_long_side_of_a_narrow_png_keeps_its_number_of_pixels(size, inches):
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", *size)

    assert formats._inches_of_long_side(png) == inches


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


def test_page_of_a_pdf_is_one_that_readers_open():
    if missing := explain_refusal(large_drawing(2), "pdf"):
        pytest.skip(missing)

    pdf = _objects(make_picture(large_drawing(300), "pdf", Theme()))

    page = re.search(rb"/MediaBox ?\[ ?0 0 ([\d.]+) ([\d.]+)", pdf)
    assert 10_000 < max(map(float, page.groups())) <= 14_400


def test_page_of_a_pdf_has_no_white_border():
    if missing := explain_refusal(large_drawing(2), "pdf"):
        pytest.skip(missing)
    drawing = large_drawing(2)

    svg = ElementTree.fromstring(make_picture(drawing, "svg", Theme("dark")))
    page = re.search(rb"/MediaBox ?\[ ?0 0 ([\d.]+)", _objects(make_picture(drawing, "pdf", Theme("dark"))))

    assert float(page[1]) == pytest.approx(float(svg.get("viewBox").split()[2]), abs=2)


def _objects(pdf: bytes) -> bytes:
    """Return the objects of a PDF, which are in compressed streams, or not."""
    parts = [pdf]
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        with suppress(zlib.error):
            parts.append(zlib.decompress(stream))
    return b"\n".join(parts)
