from __future__ import annotations

import sys

import pytest

from debugger.errors import InputError, StoreError
from debugger.store.encryption import Cipher


def test_text_is_decrypted_with_same_key():
    kept = Cipher("a long text").encrypt('"hunter2"')

    assert "hunter2" not in kept
    assert Cipher("a long text").decrypt(kept) == '"hunter2"'


def test_another_key_or_a_change_is_told():
    kept = Cipher("a long text").encrypt('"hunter2"')

    for cipher, text in ((Cipher("another"), kept), (Cipher("a long text"), kept[:-6] + "AAAA==")):
        with pytest.raises(StoreError, match="cannot be read with the key"):
            cipher.decrypt(text)


def test_encrypt_without_key_is_rejected():
    with pytest.raises(InputError, match="WORKFLOW_DEBUGGER_ENCRYPTION_KEY"):
        Cipher().encrypt('"hunter2"')


def test_what_was_never_hidden_is_itself():
    assert Cipher().decrypt('{"a": 1}') == '{"a": 1}'


def test_missing_package_is_reported(monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.fernet", None)

    with pytest.raises(StoreError, match=r"not installed.*'\.\[secrets\]'"):
        Cipher("key").encrypt("secret")
