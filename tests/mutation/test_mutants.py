from __future__ import annotations

import ast

import pytest

from tests.mutation.mutants import find_mutants


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a == b", ["x = a != b"]),
        ("x = (a) < (b)", ["x = (a) <= (b)"]),
        ("x = a not in b", ["x = a in b"]),
        ("x = a and b", ["x = a or b"]),
        ("x = a and b and c", ["x = a and b and True"]),
        ("x = not a", ["x = (a)"]),
        ("x = a + b", ["x = a - b"]),
        ("x = 'a %s' % b", ["x = 'a %s.' % b"]),
        ("x = 1", ["x = 2"]),
        ("x = True", ["x = False"]),
        ("x: int = 1", ["x: int = 2"]),
        ("x = 'one word', 'two'", ["x = 'one word.', 'two'"]),
        ("x = 'ä' or b", ["x = 'ä' and b"]),
        (
            "def f(a: int = 1):\n    return a",
            ["def f(a: int = 2):\n    return a", "def f(a: int = 1):\n    return None"],
        ),
        ("if a:\n    b()", ["if not (a):\n    b()", "if a:\n    None"]),
        ("for a in b:\n    break", ["for a in b:\n    continue"]),
        ("if a:\n    raise B", ["if not (a):\n    raise B", "if a:\n    pass"]),
    ],
)
def test_each_change_is_found(source, expected):
    found = find_mutants("debugger/one.py", source.encode())

    assert [mutant.apply(source.encode()).decode() for mutant in found] == expected
    for changed in expected:
        ast.parse(changed)


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring of a module."""',
        'def f():\n    """A docstring."""',
        "if TYPE_CHECKING:\n    x = 1",
        "if __name__ == '__main__':\n    main()",
        "__all__ = ['a b']",
        "def f(a: 'int | None') -> 'a b':\n    pass",
    ],
)
def test_what_is_no_behaviour_is_not_changed(source):
    assert find_mutants("debugger/one.py", source.encode()) == []
