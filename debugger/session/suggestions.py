"""What a person could say next: the lines of conversations that are known to lead somewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MOST_LINES = 4


def next_lines(conversations: Iterable[Sequence[str]], said: Sequence[str]) -> list[str]:
    """The next line of every conversation that has gone like this so far.

    Args:
        conversations: Each as its user's lines in order, the best first.
        said: The user's lines so far.

    Returns:
        Each line once; none when the talk has left all of them.
    """
    so_far = list(said)
    place = len(so_far)
    lines = [lines[place] for lines in conversations if len(lines) > place and list(lines[:place]) == so_far]
    return list(dict.fromkeys(lines))[:MOST_LINES]
