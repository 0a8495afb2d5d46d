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


def test_what_turns_always_say_takes_no_room():
    event = (
        b'{"type":"say_llm","logical_id":"event_97596b0c-48c5-489e-bce5-00000000059a","timestamp":1795643777.8,'
        b'"origin_thread_id":"0","thread_reference_id":"0","comments":[],"interrupted":false,'
        b'"origin_node_logical_id":"desk","origin_node_name":"Desk","origin_node_run_id":"10","message":{'
        b'"content":"How can I help?","additional_kwargs":{},"response_metadata":{},"type":"ai","name":null,'
        b'"id":"assistant_message_97596b0c-48c5-489e-bce5-000000000599","tool_calls":[],'
        b'"invalid_tool_calls":[],"usage_metadata":null},"llm_usage_info":null}'
    )

    packed = pack(event)

    assert len(packed) < len(event) / 3
    assert unpack(packed) == event


def test_what_this_version_packs_is_read_for_good():
    packed = bytes.fromhex("0479b00898e0010000069a080f911d070173072b5f3115122f7d5d3c00ff8d503a5b5d7d5d")

    assert unpack(packed) == b'[{"type":"end_thread","logical_id":"event_1","comments":[]}]' * 8


def test_a_text_that_an_earlier_version_packed_is_read():
    text = b'["%s"]' % (b"tea " * 10_000)

    assert unpack(zlib.compress(text, 1)) == text


@pytest.mark.parametrize("made", [pack, zlib.compress])
def test_a_packed_text_that_was_changed_is_an_error(made):
    packed = made(b'["%s"]' % (b"tea " * 10_000))

    with pytest.raises(ValueError, match="incorrect"):
        unpack(packed[:-1] + b"\0")


@pytest.mark.parametrize("text", [b"\xff\xff\xff\x7fabc", b"\x00\x10\x00\x00abc"], ids=["2 GB", "cut off"])
def test_forged_block_is_refused_before_memory_is_taken(text):
    with pytest.raises(ValueError, match=r"longer than it can be|Decompression failed"):
        unpack(b"\x04" + zlib.adler32(text).to_bytes(4) + text)


def test_cut_off_zlib_text_is_refused():
    with pytest.raises(ValueError, match="cut off"):
        unpack(zlib.compress(b'["tea"]')[:-5])
