from __future__ import annotations

from dataclasses import replace

import pytest

from debugger.boundary import MaskingOptions
from debugger.errors import InputError
from debugger.exports.csv_files import CsvOptions
from debugger.exports.saved_options import options_from_json, options_to_json
from tests.support.exports import options


def test_saved_options_come_back_equal():
    masking = MaskingOptions(frozenset({"email", "variable"}), ("full_name",))
    chosen = options("csv", shape="turn", masking=masking, csv=CsvOptions(False, ";", False))

    again = options_from_json(options_to_json(replace(chosen, title="x", is_single=True)))

    assert again == chosen


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"shape": "shoe"}, "The saved export settings cannot be used: shape"),
        ({"columns": ["mood"]}, "There is no column 'mood'."),
        ({"columns": ["text"], "separator": "|"}, "'|' cannot separate columns."),
    ],
)
def test_unusable_options_are_refused(data, words):
    with pytest.raises(InputError) as caught:
        options_from_json(data)

    assert words in str(caught.value)
