"""Secrets that a process has read."""

from __future__ import annotations

from debugger.engine.outbound import known_secrets
from debugger.engine.outbound.known_secrets import KnownSecrets


def test_lasting_value_is_never_forgotten(monkeypatch):
    monkeypatch.setattr(known_secrets, "_MAX_VALUES", 3)
    found = KnownSecrets()
    found.add(["environment-1", "both-1"], is_lasting=True)

    found.add(["both-1"])
    for number in range(5):
        found.add([f"stored-{number}"])

    assert found.mask("environment-1 both-1 stored-0 stored-4") == "*** *** stored-0 ***"


def test_stored_value_that_is_in_the_environment_lasts(monkeypatch):
    monkeypatch.setattr(known_secrets, "_MAX_VALUES", 1)
    found = KnownSecrets()
    found.add(["both-1"])

    found.add(["both-1"], is_lasting=True)
    found.add(["stored-1"])

    assert found.mask("both-1") == "***"


def test_version_increases_with_a_new_value_alone():
    found = KnownSecrets()

    versions = []
    for values in (["stored-1"], ["stored-1"], ["short"], ["stored-2"]):
        found.add(values)
        versions.append(found.version)

    assert versions == [1, 1, 1, 2]
