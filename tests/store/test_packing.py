from __future__ import annotations

import zlib

import pytest

from debugger.store.packing import pack, unpack


def test_a_small_text_is_kept_as_it_is():
    text = b'[{"type":"start_workflow"}]'

    assert pack(text) == text
    assert unpack(text) == text


def test_a_large_text_is_kept_in_a_fifth_of_the_room_and_comes_back_whole():
    text = b"[" + b",".join(b'{"type":"start_node_run","n":%d}' % number for number in range(5000)) + b"]"

    packed = pack(text)

    assert len(packed) < len(text) / 5
    assert unpack(packed) == text


def test_a_text_that_an_earlier_version_packed_is_read():
    text = b'["%s"]' % (b"tea " * 10_000)

    assert unpack(zlib.compress(text, 1)) == text


@pytest.mark.parametrize("made", [pack, zlib.compress])
def test_a_packed_text_that_was_changed_is_an_error(made):
    packed = made(b'["%s"]' % (b"tea " * 10_000))

    with pytest.raises(ValueError, match="incorrect"):
        unpack(packed[:-1] + b"\0")
