from __future__ import annotations

import logging

import pytest
import streamlit as st

from debugger.errors import SettingsError
from debugger.views.streamlit_patches import (
    PATCHES,
    SETTING,
    enabled_patches,
    fragment_ids,
    middleware,
    redirect_message,
)
from debugger.views.streamlit_patches.login import check_login_support


@pytest.fixture
def patches(monkeypatch):
    """Sets the setting, and the version of Streamlit."""

    def set_up(setting="", version="1.67.2"):
        monkeypatch.setenv(SETTING, setting)
        monkeypatch.setattr(st, "__version__", version)
        enabled_patches.cache_clear()
        return enabled_patches()

    yield set_up
    enabled_patches.cache_clear()


@pytest.mark.parametrize(
    ("setting", "version", "expected"),
    [
        ("", "1.67.2", set(PATCHES)),
        ("auto", "1.67.0", set(PATCHES)),
        ("", "1.68.0", set()),
        ("on", "1.68.0", set(PATCHES)),
        ("off", "1.67.2", set()),
        ("prefetch, login", "1.67.2", set(PATCHES) - {"prefetch", "login"}),
        ("prefetch", "2.0", set()),
    ],
)
def test_enabled_patches_follow_setting_and_version(patches, setting, version, expected):
    assert patches(setting, version) == expected


def test_enabled_patches_warns_of_unknown_name(patches, caplog):
    with caplog.at_level(logging.WARNING):
        assert patches("prefetsch") == set(PATCHES)

    assert "has no patch prefetsch" in caplog.text


def test_enabled_patches_warns_of_untested_version(patches, caplog):
    with caplog.at_level(logging.WARNING):
        patches(version="1.68.1")

    assert "they were tested with 1.67, not with 1.68.1" in caplog.text


def test_middleware_leaves_out_what_is_off(patches):
    patches("prefetch")

    assert [layer.__name__ for layer in middleware()] == [
        "ComponentAssets",
        "BatchMessages",
        "DedupeTriggers",
        "SessionFiles",
    ]


def test_patches_that_are_off_answer_nothing(patches):
    patches("off")

    assert (middleware(), fragment_ids(), redirect_message("/login")) == ([], None, None)
    with pytest.raises(SettingsError, match="is not tested with Streamlit"):
        check_login_support()


def test_every_patch_has_reason_and_figure():
    assert all(patch.reason and patch.figure for patch in PATCHES.values())
