from __future__ import annotations

from typing import get_args

import pytest
from streamlit.testing.v1 import AppTest

from debugger.session.verification import FidelityLevel

DRAW = """
from debugger.session.verification import Fidelity
from debugger.views.components.status_badges import fidelity_badge

fidelity_badge(Fidelity({verdict!r}, "Why *not*."))
"""


@pytest.mark.parametrize("verdict", get_args(FidelityLevel))
def test_every_verdict_is_drawn_as_icon_and_word(verdict):
    drawn = AppTest.from_string(DRAW.format(verdict=verdict)).run()

    assert not drawn.exception
    assert ":material/" in drawn.markdown[0].value
