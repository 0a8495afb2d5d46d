"""Checks of the words in labels, sentences of errors and help texts."""

from __future__ import annotations

import re
from functools import cache

import pytest

from debugger.samples import SAMPLES
from debugger.views.panels.help.topics import GROUPS, listed_topics, title_of, topic_text
from tests.support.ui_texts import PACKAGE, ROOT, collect, table

FORBIDDEN = {
    r"stand-ins?": "built-in rules",
    r"stand(s|ing)? still|stood still": "is paused",
    r"(stands|stood) (at|beside)": "is at, is beside",
    r"ways? (on|out)": "possible next steps, outgoing edge",
    r"(go|goes|going|went|gone) on": "continue",
    r"hops?": "transition",
    r"tells?|told|telling": "report, show",
    r"somebody|someone": "the user, another user, another client",
    r"I, for \w+ \w+|for every model": "Me (all model calls)",
    r"two curly brackets": "Replace {{name}} placeholders",
    r"(fully )?hydrated": "workflow file (JSON)",
    r"took": "duration; ran, used",
    r"trouble": "problems",
    r"met": "hits; matched",
    r"began|begun": "started",
    r"copies by node|^copies$": "per-node copies",
    r"given as|runtime input": "from run input",
    r"passed over": "skipped",
    r"(send|sends|sent|sending)( \w+){0,3} again from": "run turns 1 to n again",
    r"(begin|begins|beginning) (again|anew|a new run|another run|another one)": "restart",
    r"(they|runs) part|part(s|ed)? at|first divergence": "first difference",
    r"(give|gives|take|takes|taken) (it |them )?back": "return; undo; deselect",
}
"""Patterns of whole words that no text has, with what to write instead."""


GUIDES = [name for group in ("Learn", "Look up") for name in GROUPS[group] if name != "glossary"]
"""Texts in which italics are controls of the page."""
DOCUMENTS = [ROOT / "README.md", *(PACKAGE / "docs" / f"{name}.md" for name in GUIDES)]
QUOTED = re.compile(r"(?<![*\w\\])\*([^*\n]+(?:\n[^*\n]+)?)\*(?![*\w])")


def test_texts_of_every_kind_are_collected(tmp_path):
    (tmp_path / "views").mkdir()
    (tmp_path / "views" / "page.py").write_text(
        '"""Module docstring that nobody reads."""\n'
        "st.button('Go')\n"
        "st.write('No' if x else f'Turn {n} | end')\n"
        "TITLES = ['Runs', 'Two   words', 'key_of_row']\n"
        "raise InputError('x is 1', advice='Write 2.')\n"
        "_log.info('A line of the log')\n"
        "query = 'SELECT a FROM b'\n"
        "st.write('Go')\n"
        "st.button('Go')\n"
    )
    (tmp_path / "views" / "page.js").write_text('close.title = "Close the pane"; // "Not a text"\n')
    (tmp_path / "route.py").write_text("@app.get('/a')\ndef read():\n    '''Return a.'''\nTITLE = 'Runs'\n")

    document = table(collect(tmp_path))

    assert document.splitlines()[7:] == [
        "| `route.py` | Return a. |",
        "| `views/page.py` | Go |",
        "| `views/page.py` | No |",
        "| `views/page.py` | Turn {…} \\| end |",
        "| `views/page.py` | Runs |",
        "| `views/page.py` | Two words |",
        "| `views/page.py` | Write 2. |",
        "| `views/page.py` | x is 1 |",
        "| `views/page.js` | Close the pane |",
    ]


@pytest.mark.parametrize(("words", "instead"), FORBIDDEN.items(), ids=FORBIDDEN.values())
def test_texts_avoid_forbidden_words(words, instead):
    assert [text for text in collect() if _pattern(words).search(text.text)] == [], instead


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_guides_avoid_forbidden_words(path):
    pattern = _pattern("|".join(FORBIDDEN))

    assert [line for line in path.read_text(encoding="utf-8").splitlines() if pattern.search(line)] == []


def test_pattern_finds_whole_words_only():
    assert _pattern("hops?").search("two Hops.")
    assert not _pattern("hops?").search("shop, no_hopping, hop-free")


@pytest.mark.parametrize("name", GUIDES)
def test_quoted_controls_are_on_the_page(name):
    known, pattern = _known_texts()
    unknown = []
    for quoted in QUOTED.findall(_without_code(topic_text(name))):
        for label in " ".join(quoted.split()).split(" › "):
            if label not in known and not pattern.fullmatch(label):
                unknown.append(label)

    assert unknown == []


@cache
def _known_texts() -> tuple[set[str], re.Pattern[str]]:
    """Return the texts of the page, and a pattern of those with a value that is filled in."""
    known = {_words(text.text) for text in collect()} | {
        title_of(each) for names in listed_topics().values() for each in names
    }
    known |= {sample.name for sample in SAMPLES}
    for path in (PACKAGE / "views").rglob("*.html"):
        known |= {
            " ".join(text.split()) for text in re.findall(r">([^<]+)<", path.read_text(encoding="utf-8"))
        }
    filled = (re.escape(each).replace(r"\{…\}", ".+") for each in known if _is_pattern(each))
    return known, re.compile("|".join(filled))


def _words(text: str) -> str:
    return " ".join(re.sub(r":\w+\[|\]$|:material/\w+:|#{2,} |[*]{2}", "", text).split())


def _is_pattern(text: str) -> bool:
    return "{…}" in text and len(re.sub(r"\{…\}|\W", "", text)) >= 4


def _without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])({words})(?![\w-])", re.IGNORECASE)
