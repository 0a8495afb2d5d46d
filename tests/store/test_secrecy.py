from __future__ import annotations

import pytest

from debugger.errors import InputError, StoreError
from debugger.store.secrecy import Secrecy


def test_what_was_hidden_is_shown_with_the_same_key_and_reads_as_nothing_without():
    kept = Secrecy("a long text").hidden('"hunter2"')

    assert "hunter2" not in kept
    assert Secrecy("a long text").shown(kept) == '"hunter2"'


def test_another_key_or_a_change_is_told():
    kept = Secrecy("a long text").hidden('"hunter2"')

    for secrecy, text in ((Secrecy("another"), kept), (Secrecy("a long text"), kept[:-6] + "AAAA==")):
        with pytest.raises(StoreError, match="cannot be read with the key"):
            secrecy.shown(text)


def test_without_a_key_nothing_is_hidden_and_the_advice_names_the_variable():
    with pytest.raises(InputError, match="WORKFLOW_DEBUGGER_ENCRYPTION_KEY"):
        Secrecy().hidden('"hunter2"')


def test_what_was_never_hidden_is_itself():
    assert Secrecy().shown('{"a": 1}') == '{"a": 1}'
