"""At which of the times that it matches a breakpoint or a fault is meant."""

from __future__ import annotations

import re
from typing import NamedTuple

from debugger.errors import InputError

_WRITTEN = re.compile(r"\s*(>=|<=|%|)\s*([1-9]\d{0,8})\s*")


class _Wanted(NamedTuple):
    sign: str
    number: int


def check_hits(hits: str) -> None:
    """See whether a text names times.

    Raises:
        InputError: It does not.
    """
    if hits.strip():
        _read(hits)


def is_wanted_hit(hits: str, count: int) -> bool:
    """Whether the time of this number, from 1, is meant.

    ``5`` means the fifth, ``>=5`` each from the fifth on, ``<=5`` the first five, ``%5`` every fifth, an
    empty text all.
    """
    if not hits.strip():
        return True
    sign, number = _read(hits)
    if sign in (">=", "<="):
        return count >= number if sign == ">=" else count <= number
    return count % number == 0 if sign == "%" else count == number


def _read(hits: str) -> _Wanted:
    found = _WRITTEN.fullmatch(hits)
    if found is None:
        raise InputError(
            f"{hits!r} names no hits.",
            advice="Write 5 for the fifth, >=5 from it on, <=5 for the first five, %5 for every fifth.",
        )
    return _Wanted(found[1], int(found[2]))
