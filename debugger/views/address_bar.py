"""The address bar of the browser: read, and made to name what a page shows.

Only this module uses `st.query_params`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Generic, Protocol, Self, TypeVar

import streamlit as st

from debugger.views.url_state import Address, CompareAddress


class PageAddress(Protocol):
    """Address of a page, which can be compared and hashed; one without parts is empty."""

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> Self:
        """Read query parameters."""
        ...

    def to_parameters(self) -> dict[str, str]:
        """Return the query parameters, absent ones left out."""
        ...


Of = TypeVar("Of", bound=PageAddress)


@dataclass
class AddressBar(Generic[Of]):
    """Address bar as one page sees it."""

    shown: Of
    """Its last content, so that a change made there is noticed."""
    left: dict[Of, float] = field(default_factory=dict)
    """Content just before that, and when it was replaced, on the monotonic clock."""

    STALE_SECONDS: ClassVar[float] = 1.0
    """Seconds during which the browser may still send an address that was replaced."""

    def read(self) -> Of:
        """Return the address of the browser."""
        return self.shown.from_parameters(st.query_params)

    def wanted(self) -> Of | None:
        """Return the address that a person has gone to; ``None`` where there is nothing to follow."""
        found = self.read()
        is_known = found in (self.shown, self.shown.from_parameters({}))
        return None if is_known or self.is_stale(found) else found

    def is_stale(self, found: Of) -> bool:
        """Return whether an address may predate the shown one."""
        left_at = self.left.get(found, float("-inf"))
        return time.monotonic() - left_at < self.STALE_SECONDS

    def show(self, shown: Of) -> None:
        """Make the address bar name what the page shows.

        An address that it replaces counts as stale for `STALE_SECONDS`. The query parameters are set only
        where they differ.
        """
        if self.shown != shown:
            now = time.monotonic()
            self.left = {each: at for each, at in self.left.items() if now - at < self.STALE_SECONDS}
            self.left[self.shown] = now
            self.left.pop(shown, None)
        self.shown = shown
        if self.read() != shown:
            set_query_parameters(shown.to_parameters())


@dataclass
class DebugBar(AddressBar[Address]):
    """Address bar of the page Debug."""

    shown: Address = field(default_factory=Address)


@dataclass
class CompareBar(AddressBar[CompareAddress]):
    """Address bar of the page Compare."""

    shown: CompareAddress = field(default_factory=CompareAddress)


def query_parameters() -> dict[str, str]:
    """Return the query parameters of the browser's address."""
    return dict(st.query_params)


def set_query_parameters(parameters: dict[str, str]) -> None:
    """Change the query parameters of the browser's address."""
    if query_parameters() != parameters:
        st.query_params.from_dict(parameters)
