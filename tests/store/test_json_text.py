from __future__ import annotations

import json
import math
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugger.errors import InputError, StoreError
from debugger.store.json_text import document_text, pack, read_json, unpack

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.text(), json_values))
def test_any_document_comes_back_as_it_was(document):
    text = document_text(document)

    assert json.loads(text) == document
    assert list(json.loads(text)) == list(document)


@settings(deadline=None, max_examples=50)
@given(json_values, st.booleans())
def test_any_bytes_are_read_as_what_was_written(value, ascii_only):
    data = json.dumps(value, ensure_ascii=ascii_only).encode()

    assert read_json(data, "record") == value


def test_text_is_kept_as_it_reads():
    assert document_text({"name": "Tee für 東京"}) == '{"name": "Tee für 東京"}'


def test_half_a_surrogate_pair_in_a_document_survives():
    text = document_text({"name": "Tee \ud83c"})

    text.encode()
    assert json.loads(text) == {"name": "Tee \ud83c"}


@pytest.mark.parametrize("number", [2**63, 2**64, -(2**63) - 1, 10**40])
def test_an_integer_beyond_64_bits_keeps_all_its_digits(number):
    assert read_json(b'{"n": %d}' % number, "record") == {"n": number}


def test_what_only_python_writes_is_read_too():
    found = read_json(b'[NaN, Infinity, "\\ud83c"]', "record")

    assert math.isnan(found[0])
    assert found[1:] == [math.inf, "\ud83c"]


@pytest.mark.parametrize("value", [{1, 2}, object(), b"bytes"])
def test_a_document_that_is_not_json_is_refused(value):
    with pytest.raises(InputError, match="not JSON"):
        document_text({"node_configs": [value]})


def test_a_document_that_holds_itself_is_refused():
    document = {}
    document["self"] = document

    with pytest.raises(InputError, match="not JSON"):
        document_text(document)


def test_bytes_that_are_not_json_are_an_error_of_the_store():
    with pytest.raises(StoreError, match="record of turn 3 cannot be read"):
        read_json(b'{"half": ', "record of turn 3")


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
