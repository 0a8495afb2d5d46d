r"""Regular expressions that users, workflows, scripts and scenarios bring.

    find = compile_pattern(r"order (\d+)", ignores_case=True)
    match = find.search("Order 17, please")

Such a text reaches no other engine: `re` holds the interpreter's lock until it has finished, which a pattern
of ten characters can put off for years. Here the cost is bounded before the compilation, and a search ends
after `MAX_SEARCH_SECONDS` and lets other threads run meanwhile.

The language is that of `re`, with possessive repeats, properties as ``\p{L}`` and lookbehind of any length.
Recursion, verbs, fuzzy matches and sets of sets, which the library has besides, are not part of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from time import thread_time
from typing import TYPE_CHECKING, Any

from debugger.expressions.bounded_cache import BoundedCache
from debugger.expressions.limits import LimitError, check_time

if TYPE_CHECKING:
    from regex import Match as Match

MAX_PATTERN_CHARACTERS = 2_000
MAX_WRITTEN_OUT_CHARACTERS = 10_000
"""Of a pattern whose counted repetitions are written out, as the library does."""
MAX_DEPTH = 30
"""Groups within each other."""
MAX_GROUPS = 100
"""That keep what they found."""

MAX_SEARCH_SECONDS = 0.25
"""Of one pattern in one text."""
_MAX_ATTEMPT_SECONDS = 4.0
MAX_TEXT_CHARACTERS = 1_000_000
MAX_TEXT_OF_REPEATED_GROUP = 100_000
"""Each repetition of a group is kept in memory."""
_MAX_CAPTURES = 1_000_000
"""Groups that are kept, times characters."""
_MAX_COMPARISONS = 100_000_000
"""Characters of the pattern, times those of the text, which is read once without a look at the clock."""

_COMPILED_BYTES = 1_300
"""Memory for a character of a pattern that is written out, at most (regex 2026.11.19)."""
MAX_CACHE_BYTES = 64_000_000
_compiled: BoundedCache[tuple[str, bool], Pattern]

_ADVICE = "Write a shorter pattern, without repetitions of repetitions."


@dataclass(frozen=True)
class Pattern:
    """A regular expression whose searches are bounded."""

    text: str
    """As its author wrote it."""
    _regex: Any
    _has_repeated_group: bool

    @property
    def groups(self) -> int:
        """Return the number of groups."""
        return int(self._regex.groups)

    @property
    def groupindex(self) -> Mapping[str, int]:
        """Return the numbers of the named groups."""
        found: Mapping[str, int] = self._regex.groupindex
        return found

    def search(self, text: str) -> Match[str] | None:
        """Find the first place in a text; ``None`` where there is none.

        Raises:
            LimitError: The text is too long for this pattern, or the search or the evaluation around it takes
                too long.
        """
        most = self._most_characters()
        if len(text) > most:
            raise LimitError(
                f"the pattern {_shown(self.text)} can search {most:,} characters, and the text has "
                f"{len(text):,}",
                _ADVICE,
            )
        seconds = MAX_SEARCH_SECONDS
        while True:
            check_time()
            began = thread_time()
            try:
                found: Match[str] | None = self._regex.search(text, timeout=seconds, concurrent=True)
            except TimeoutError:
                # The library's clock runs on while other threads have the processor.
                if thread_time() - began > MAX_SEARCH_SECONDS / 2 or seconds > _MAX_ATTEMPT_SECONDS:
                    raise self._too_long(text) from None
                seconds *= 2
            else:
                return found

    def _most_characters(self) -> int:
        most = min(MAX_TEXT_CHARACTERS, _MAX_COMPARISONS // max(len(self.text), 1))
        if self._has_repeated_group:
            most = min(most, MAX_TEXT_OF_REPEATED_GROUP, _MAX_CAPTURES // max(self.groups, 1))
        return most

    def _too_long(self, text: str) -> LimitError:
        """Return the error for a search in a text that takes too long."""
        return LimitError(
            f"the pattern {_shown(self.text)} takes longer than {MAX_SEARCH_SECONDS:g} seconds on a text of "
            f"{len(text):,} characters",
            _ADVICE,
        )


_compiled = BoundedCache(MAX_CACHE_BYTES)


def compile_pattern(text: str, *, ignores_case: bool = False) -> Pattern:
    """Return a regular expression.

    Raises:
        LimitError: It would cost more than a limit allows.
        ValueError: It is none.
    """
    known = _compiled.get((text, ignores_case))
    if known is not None:
        return known
    if len(text) > MAX_PATTERN_CHARACTERS:
        raise LimitError(
            f"the pattern {_shown(text)} has {len(text):,} characters, and {MAX_PATTERN_CHARACTERS:,} is the "
            "most",
            _ADVICE,
        )
    reader = _Reader(text)
    plain, size = reader.read()
    # Imported here: few workflows need it.
    import regex

    # Without the second branch the library looks for the pattern's longest literal before it searches, with
    # the lock held and no look at the clock: 25 s for 5,000 equal letters in 200,000 (regex 2026.11.19).
    try:
        found = regex.compile(
            f"(?{reader.flags}:{plain})|(?!)", regex.IGNORECASE if ignores_case else 0, cache_pattern=False
        )
    except regex.error as error:
        raise _not_a_pattern(text, error.msg) from None
    except (RecursionError, OverflowError) as error:
        raise _not_a_pattern(text, type(error).__name__) from None
    pattern = Pattern(text, found, reader.has_repeated_group)
    _compiled.put((text, ignores_case), pattern, size * _COMPILED_BYTES)
    return pattern


def search_pattern(pattern: str, text: str) -> bool:
    """Return whether a pattern is found in a text.

    Raises:
        LimitError: The pattern or its search costs more than a limit allows.
        ValueError: It is no regular expression.
    """
    return compile_pattern(pattern).search(text) is not None


def _shown(pattern: str) -> str:
    return repr(pattern if len(pattern) <= 80 else f"{pattern[:79]}…")


def _not_a_pattern(text: str, reason: str) -> ValueError:
    return ValueError(f"{_shown(text)} is not a regular expression: {reason}")


_COUNT = re.compile(r"\{(?P<least>[0-9]*)(?P<comma>,?)(?P<most>[0-9]*)\}")
_GROUP = re.compile(
    r"\((?:(?P<capture>(?!\?)|\?P?<(?![=!])\w+>)"  # ( and (?P<name>
    r"|\?(?:[:>=!]|<[=!])"  # without a capture, atomic, lookaround
    r"|\?\(\w+\)"  # conditional
    r"|\?(?P<flags>[aimsu]*(?:-[ims]+)?):"
    r"|(?P<alone>\?(?P<everywhere>[aimsux]+)\)|\?\#[^)]*\)|\?P=\w+\)))"
)
_PASSED_OVER = " \t\n\r\v\f#"
"""Where a pattern is verbose; other blanks are themselves."""
_PROPERTY = re.compile(r"\\[pPN]\{[^{}\[\]()\\]+\}")


class _Frame:
    """State of a group while it is read."""

    def __init__(self) -> None:
        self.size = 0
        """Characters of what is complete, written out."""
        self.last = 0
        """Those of the last item, to which a quantifier would belong."""

    def add(self, size: int) -> None:
        self.size += self.last
        self.last = size


class _Reader:
    """A reader that puts a pattern into a form which `re` and the library understand alike.

    Args:
        text: The pattern.
    """

    def __init__(self, text: str) -> None:
        """Begin before the first character."""
        self.flags = ""
        """Those of the whole pattern."""
        self.has_repeated_group = False
        self._text = text
        self._at = 0
        self._out: list[str] = []
        self._frames = [_Frame()]
        self._groups = 0
        self._ends_group = self._ends_escape = self._ends_repeat = self._has_skipped = False
        self._is_verbose = False

    def read(self) -> tuple[str, int]:
        """Return the pattern, and the characters that it has when it is written out.

        Raises:
            LimitError: It would cost more than a limit allows.
            ValueError: It is no regular expression.
        """
        while self._at < len(self._text):
            self._step()
        if len(self._frames) > 1:
            raise _not_a_pattern(self._text, "missing ), unterminated subpattern")
        frame = self._frames[0]
        self._require(frame.size + frame.last)
        return "".join(self._out), frame.size + frame.last

    def _step(self) -> None:
        """Read one item, group bracket or quantifier, and append its form for the library.

        A blank or a comment of a verbose pattern is left out. Raises as `read`.
        """
        character = self._text[self._at]
        if self._is_verbose and character in _PASSED_OVER:
            self._skip()
        elif character == "(":
            self._open()
        elif character == ")":
            self._close()
        elif character in "*+?":
            self._repeat(character, 1, is_many=character != "?")
        elif character == "{":
            self._brace()
        elif character == "[":
            self._set()
        elif character == "\\":
            self._escape()
        elif self._has_skipped and self._ends_escape and character.isalnum():
            self._item(character, f"(?:){character}")  # what was passed over has ended the escape
        else:
            self._item(character)

    def _item(self, source: str, written: str | None = None, *, is_escape: bool = False) -> None:
        self._out.append(source if written is None else written)
        self._at += len(source)
        self._frames[-1].add(len(source))
        self._end(is_escape=is_escape)

    def _end(self, *, is_group: bool = False, is_escape: bool = False, is_repeat: bool = False) -> None:
        self._ends_group, self._ends_escape, self._ends_repeat = is_group, is_escape, is_repeat
        self._has_skipped = False

    def _skip(self) -> None:
        """Pass over a blank, or a comment up to the end of its line."""
        self._has_skipped = True
        end = self._text.find("\n", self._at) if self._text[self._at] == "#" else self._at
        self._at = len(self._text) if end < 0 else end + 1

    def _open(self) -> None:
        """Read what begins with an opening bracket: a group, flags, a comment or a named back-reference.

        Only a group stays open; a comment is left out. Raises ValueError when the kind of group is not
        supported, or when flags are not at the start, and LimitError when there are too many groups or they
        are too deep.
        """
        match = _GROUP.match(self._text, self._at)
        if match is None or self._text.startswith("(*", self._at):
            part = self._text[self._at : self._at + 4]
            raise _not_a_pattern(self._text, f"{part!r} at position {self._at} is not supported")
        self._at = match.end()
        if match["everywhere"]:
            self._set_flags(match["everywhere"], match.start())
        elif match["alone"]:
            if match["alone"].startswith("?P="):
                self._at = match.start()
                self._item(match[0])
            else:
                self._has_skipped = True
        else:
            self._groups += match["capture"] is not None
            self._out.append(match[0])
            self._frames.append(_Frame())
            self._end()
            if self._groups > MAX_GROUPS:
                raise self._limit(f"more than {MAX_GROUPS} groups")
            if len(self._frames) > MAX_DEPTH + 1:
                raise self._limit(f"more than {MAX_DEPTH} groups within each other")

    def _set_flags(self, flags: str, start: int) -> None:
        if self._out:
            raise _not_a_pattern(self._text, f"global flags at position {start}, not at its start")
        self.flags = "".join(sorted({*self.flags, *flags} - {"x"}))
        self._is_verbose |= "x" in flags

    def _close(self) -> None:
        """Close the innermost group, which then is one item; raises ValueError when none is open."""
        if len(self._frames) == 1:
            raise _not_a_pattern(self._text, f"unbalanced parenthesis at position {self._at}")
        group = self._frames.pop()
        self._out.append(")")
        self._at += 1
        self._frames[-1].add(group.size + group.last + 2)
        self._end(is_group=True)

    def _repeat(self, written: str, least: int, *, is_many: bool) -> None:
        """Read a quantifier, and count the last item as often as it comes at least.

        Raises ValueError when there is nothing to repeat, or when a comment is between two quantifiers, and
        LimitError when the pattern written out is too long.
        """
        frame = self._frames[-1]
        # With what was passed over left out, "((?#)?R)" would be the recursion "(?R)".
        if not frame.last:
            raise _not_a_pattern(self._text, f"nothing to repeat at position {self._at}")
        if self._ends_repeat and self._has_skipped:
            raise _not_a_pattern(self._text, f"multiple repeat at position {self._at}")
        self._out.append(written)
        self._at += len(written)
        frame.last = frame.last * max(least, 1) + len(written)
        self._require(frame.size + frame.last)
        self.has_repeated_group |= self._ends_group and is_many
        self._end(is_group=self._ends_group, is_repeat=True)

    def _brace(self) -> None:
        """Read a counted repetition, or a brace that is a character.

        Raises LimitError when a count has more than 9 digits; else as `_repeat`.
        """
        match = _COUNT.match(self._text, self._at)
        if match is None or not (match["least"] or match["comma"]):
            self._item("{", "\\{")  # the library would read {e} as a fuzzy match
            return
        least, most = match["least"] or "0", match["most"] or ("" if match["comma"] else match["least"])
        if max(len(least), len(most)) > 9:
            raise self._limit("a repetition whose count has more than 9 digits")
        self._repeat(match[0], int(least), is_many=not most or int(most) > 1)

    def _set(self) -> None:
        """Read a set of characters as one item, with brackets in it escaped.

        Raises ValueError when it does not end.
        """
        text, at = self._text, self._at + 1
        written = ["["]
        if text.startswith("^", at):
            written.append("^")
            at += 1
        first = at
        while at == first or not text.startswith("]", at):
            if at >= len(text):
                raise _not_a_pattern(text, f"unterminated character set at position {self._at}")
            piece = self._piece(at)
            # Escaped, because the library would read [:alpha:] as a class.
            written.append(f"\\{piece}" if piece in "[]" else piece)
            at += len(piece)
        self._item(text[self._at : at + 1], "".join([*written, "]"]))

    def _escape(self) -> None:
        self._item(self._piece(self._at), is_escape=True)

    def _piece(self, at: int) -> str:
        """Return one character, with the backslash before it and the name of its property behind it.

        Raises ValueError when the pattern ends with the backslash.
        """
        if self._text[at] != "\\":
            return self._text[at]
        if at + 1 == len(self._text):
            raise _not_a_pattern(self._text, "bad escape (end of pattern)")
        match = _PROPERTY.match(self._text, at)
        return match[0] if match else self._text[at : at + 2]

    def _require(self, size: int) -> None:
        if size > MAX_WRITTEN_OUT_CHARACTERS:
            raise self._limit(
                f"more than {MAX_WRITTEN_OUT_CHARACTERS:,} characters when its repetitions are written out"
            )

    def _limit(self, reason: str) -> LimitError:
        return LimitError(f"the pattern {_shown(self._text)} has {reason}", _ADVICE)
