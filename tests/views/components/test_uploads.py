from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from debugger.errors import InputError
from debugger.protocol.file_limits import FileLimit
from debugger.views.components.uploads import content_of


def _page() -> None:
    from debugger.protocol.file_limits import RUN_FILE, SCENARIO_FILE
    from debugger.views.components.uploads import upload_file, upload_files

    upload_file("One", RUN_FILE, ["json"], "one", help="Read only.")
    upload_files("Many", SCENARIO_FILE, ["yaml"], "many")


def test_an_uploader_says_its_limit():
    one, many = AppTest.from_function(_page).run().get("file_uploader")

    assert (one.proto.max_upload_size_mb, one.proto.help) == (20, "Read only. A run file has at most 20 MB.")
    assert (many.proto.max_upload_size_mb, many.proto.help) == (20, "A file of a scenario has at most 20 MB.")


def test_a_file_past_the_page_is_refused():
    class Uploaded:
        name = "a.json"

        def getvalue(self) -> bytes:
            return b"x" * 1_048_577

    with pytest.raises(InputError, match=r"'a\.json' has 1,048,577 bytes"):
        content_of(Uploaded(), FileLimit("workflow file", 1))
