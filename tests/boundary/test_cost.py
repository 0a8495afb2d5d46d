"""Texts that are made to be slow to mask: none stops another thread."""

from __future__ import annotations

import pytest

from debugger.boundary import Boundary, Kind, MaskingOptions
from tests.support.heartbeat import BUSY_SECONDS, measure

SIZE = 1_000_000
UNITS = """
a|A|1|-| |.|(|)|/|_|@|:|?|&|=|#|%|'|"|[|]|{|}|*|+|é|ſ|İ|ab12|aA1-|a-|1-|1 |1.|12 |12-|(1|(1)|(12)|+1|00|1 1|
12 34 |123-45-6789 |4111 |4111-|4111111111111111|4111 1111 1111 1111 |378282246310005 |555-123-4567 |
+49 171 1234567,|00 |a@|@a|a@b.|a@b.c|a@b.de |x@y.|a.b@|a@1.1|a%|born |born jan |jan |jan 1 |1 jan 1990 |
born 1/1/90 |dob:|d.o.b.|1990-01-01 |birth a|token|token |token=|token = |token: "|password is |api_key|
password:hunter2! |secret='|sk-|sk-a|sk-1|eyJ|eyJ-|eyJaaaaaaaa.|eyJaaaaaaaa.aaaaaaaa.|AKIA|AIza|AIza-|
Bearer |Bearer a|xoxb-|ghp_1|-----|-----BEGIN |-----BEGIN A|-----BEGIN PRIVATE KEY-----|-----END |
-----BEGIN RSA PRIVATE KEY----- -|Ab1_|aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1d|://|a://|a://b:|a://b:@|//|//@|?a|
?a=|&token=|?token=a&|{{|{{a|{{ }}|://{{ |[phone]|***|[key]1|Ada|Ada-|ada moreno |aaaa aaaa|1 1 1 1 x
"""
TEXTS = [unit for unit in UNITS.replace("|\n", "|").strip("\n").split("|") if unit]
TAILS = {
    "a://b:@": " x y",
    "://": " x",
    "1-": "x",
    "12 34 ": "x",
    "eyJ-": " ",
    "@": "b.de",
    "-----BEGIN A": "!",
}
"""Ends by which what was begun is none after all."""


def mask(unit: str, kind: str) -> int:
    """Mask a text of a megabyte, with values of variables that are looked for."""
    text = (unit * (SIZE // len(unit)))[: SIZE - 9] + TAILS.get(unit, "")
    boundary = Boundary(MaskingOptions(variables=("name",)))
    boundary.begin_run(["Line 555-123-4567"])
    boundary.register(
        "name", ["Ada Moreno", "aaaa", "1 1 1 1", "-----", *(f"value {at}" for at in range(500))]
    )
    return len(boundary.release(Kind[kind], text))


WORST = [
    "1 ",
    "+1",
    "(1",
    "-----",
    "***",
    "a://b:@",
    "a@b.de ",
    "4111 1111 1111 1111 ",
    "born jan ",
    "[phone]",
]


@pytest.mark.parametrize("unit", WORST)
def test_hostile_text_stops_no_thread(unit):
    assert measure(mask, unit, "TEXT").problem(seconds=BUSY_SECONDS) == ""


@pytest.mark.campaign
@pytest.mark.parametrize("unit", TEXTS)
def test_no_text_of_many_stops_a_thread(unit):
    assert measure(mask, unit, "TEXT").problem() == ""


@pytest.mark.parametrize("unit", ["?a", "//", "a://b:@", "?token=a&"])
def test_hostile_address_stops_no_thread(unit):
    assert measure(mask, unit, "ADDRESS").problem(seconds=BUSY_SECONDS) == ""


def test_enough_texts_are_hostile():
    assert len(set(TEXTS)) >= 100
