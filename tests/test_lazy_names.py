from __future__ import annotations

import json
import sys
from types import ModuleType

import pytest

from debugger.lazy_names import lazy_names


def package_of(monkeypatch, homes):
    package = ModuleType("package")
    monkeypatch.setitem(sys.modules, "package", package)
    package.__getattr__, package.__dir__ = lazy_names("package", homes)
    return package


def test_name_is_imported_on_use_and_then_an_attribute(monkeypatch):
    package = package_of(monkeypatch, {"dumps": "json"})

    assert "dumps" not in vars(package)
    assert package.dumps is json.dumps
    assert vars(package)["dumps"] is json.dumps


def test_names_are_listed_before_they_are_imported(monkeypatch):
    package = package_of(monkeypatch, {"dumps": "json"})

    assert {"dumps", "__doc__"} <= set(dir(package))
    assert "dumps" not in vars(package)


def test_other_name_is_no_attribute(monkeypatch):
    package = package_of(monkeypatch, {"dumps": "json"})

    with pytest.raises(AttributeError, match="module 'package' has no attribute 'loads'"):
        _ = package.loads
