from __future__ import annotations


def test_consent_of_version_is_found(store):
    store.python_consents.add("tea", 2, "a" * 64, "Ada")

    found = store.python_consents.find("tea", 2)

    assert (found.code_digest, found.person) == ("a" * 64, "Ada")
    assert store.python_consents.find("tea", 1) is None
    assert store.python_consents.find("coffee", 2) is None


def test_later_consent_replaces_earlier(store):
    store.python_consents.add("tea", 2, "a" * 64, "Ada")
    store.python_consents.add("tea", 2, "b" * 64, "Bo")

    assert [consent.code_digest for consent in store.python_consents.all()] == ["b" * 64]


def test_removed_consent_is_gone(store):
    store.python_consents.add("tea", 2, "a" * 64, "Ada")
    store.python_consents.remove("tea", 2)
    store.python_consents.remove("tea", 2)

    assert store.python_consents.all() == []
