from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from debugger.errors import InputError, StoreError
from debugger.store.compression import compress, decompress, read_json
from debugger.store.workflows import document_text

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
def test_large_integer_keeps_digits(number):
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


def test_invalid_json_is_store_error():
    with pytest.raises(StoreError, match="record of turn 3 cannot be read"):
        read_json(b'{"half": ', "record of turn 3")


def test_a_small_text_is_kept_as_it_is():
    text = b'[{"type":"start_workflow"}]'

    assert compress(text) == text
    assert decompress(text) == text


def test_compress_saves_four_fifths_of_large_text():
    text = b"[" + b",".join(b'{"type":"start_node_run","n":%d}' % number for number in range(5000)) + b"]"

    packed = compress(text)

    assert len(packed) < len(text) / 5
    assert decompress(packed) == text


def test_decompress_reads_recorded_frame():
    frame = bytes.fromhex(
        "28b52ffd64e0002d0200c4035b7b2274797065223a22656e645f746872656164222c226c6f67696361"
        "6c5f6964223a226576656e745f31222c22636f6d6d656e7473223a5b5d7d5d01001cfa550505b54d9667"
    )

    assert decompress(frame) == b'[{"type":"end_thread","logical_id":"event_1","comments":[]}]' * 8


def test_decompress_rejects_changed_frame():
    packed = compress(b'["%s"]' % (b"tea " * 200))

    with pytest.raises(ValueError, match="checksum"):
        decompress(packed[:-1] + b"\0")


def test_compress_leaves_extreme_ratio_uncompressed():
    text = b'["%s"]' % (b" " * 1_000_000)

    assert compress(text) == text


@pytest.mark.parametrize("size", [10**12, 10**6, None], ids=["1 TB", "1 MB", "no size"])
def test_decompress_rejects_forged_size_before_allocating(size):
    header = b"\x00\x58" if size is None else b"\xe0" + size.to_bytes(8, "little")

    with pytest.raises(ValueError, match="longer than it can be"):
        decompress(b"\x28\xb5\x2f\xfd" + header + b"\x01\x00\x00")


def test_decompress_rejects_truncated_frame():
    with pytest.raises(ValueError, match="full frame"):
        decompress(compress(b'["%s"]' % (b"tea " * 200))[:-5])
