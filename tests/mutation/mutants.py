"""Small changes of the source, each of which some test should notice."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from random import Random

_COMPARISONS = {
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}
SHARE_OF_VIEWS = 0.3
_ARITHMETIC = {ast.Add: "-", ast.Sub: "+", ast.Mult: "//", ast.FloorDiv: "*", ast.Div: "*", ast.Mod: "*"}


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    path: str
    """Of the file, relative to the repository."""
    line: int
    """The first line that is changed."""
    begin: int
    end: int
    """The place of what is replaced, in bytes."""
    text: str
    """What takes its place."""
    kind: str
    """The rule that made it, such as ``compare``."""

    def apply(self, source: bytes) -> bytes:
        """Return the changed source."""
        return source[: self.begin] + self.text.encode() + source[self.end :]

    def describe(self, source: bytes) -> str:
        """Return the change on one line."""
        before = source[self.begin : self.end].decode()
        return f"{self.path}:{self.line} {self.kind}: {_brief(before)} -> {_brief(self.text)}"


def find_mutants(path: str, source: bytes) -> list[Mutant]:
    """Return the mutants of a file, in the order of their places.

    Left out is what says nothing of behaviour: docstrings, annotations, ``TYPE_CHECKING``, ``__all__``, and
    what is below ``if __name__``.
    """
    finder = _Finder(path, source)
    finder.visit(ast.parse(source))
    return sorted(finder.found, key=lambda mutant: (mutant.begin, mutant.end, mutant.text))


def draw_mutants(
    root: Path, count: int, seed: int, *, under: str = "debugger/", lines: dict[str, set[int]] | None = None
) -> list[Mutant]:
    """Return a sample of the mutants of the package; of a part that has fewer, all of them.

    Args:
        root: The repository.
        count: The size of the sample; of all files, three of ten are in ``debugger/views``.
        seed: Of the sample.
        under: Only files below this path, relative to the repository.
        lines: Only these lines, by path.
    """
    found: dict[bool, list[Mutant]] = {True: [], False: []}
    for path in sorted((root / "debugger").rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if name.startswith(under) and "/migrations/" not in name and (lines is None or name in lines):
            made = find_mutants(name, path.read_bytes())
            is_view = name.startswith("debugger/views/")
            found[is_view] += [one for one in made if lines is None or one.line in lines[name]]
    of_views = round(count * SHARE_OF_VIEWS) if found[False] else count
    rng = Random(seed)
    drawn = [(found[True], of_views), (found[False], count - of_views if found[True] else count)]
    return [one for among, wanted in drawn for one in rng.sample(among, min(wanted, len(among)))]


class _Finder(ast.NodeVisitor):
    """Collects the mutants of one file."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path = path
        self.found: list[Mutant] = []
        self._source = source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def _span(self, node: ast.AST) -> tuple[int, int]:
        return (
            self._offset(node.lineno, node.col_offset),
            self._offset(node.end_lineno, node.end_col_offset),
        )

    def _text(self, node: ast.AST) -> str:
        begin, end = self._span(node)
        return self._source[begin:end].decode()

    def _add(self, node: ast.AST, text: str, kind: str) -> None:
        begin, end = self._span(node)
        if self._source[begin:end].decode() != text:
            self.found.append(Mutant(self.path, node.lineno, begin, end, text, kind))

    def _add_between(self, left: ast.AST, right: ast.AST, text: str, kind: str) -> None:
        """Replace the operator between two operands, without the parentheses around them."""
        begin, end = self._span(left)[1], self._span(right)[0]
        between = self._source[begin:end].decode()
        stripped = between.strip(" ()\n\\")
        if "#" in between or not stripped or between.count(stripped) != 1:
            return
        at = begin + len(between[: between.index(stripped)].encode())
        self.found.append(Mutant(self.path, left.end_lineno, at, at + len(stripped.encode()), text, kind))

    # Where nothing is changed

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_arg(self, node: ast.arg) -> None:
        """Annotations are no behaviour."""

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            return  # a docstring
        if isinstance(node.value, ast.Call):
            self._add(node, "None", "call left out")
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        if "__all__" not in names:
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for each in [*node.args.defaults, *filter(None, node.args.kw_defaults), *node.body]:
            self.visit(each)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_If(self, node: ast.If) -> None:
        test = ast.unparse(node.test)
        if "TYPE_CHECKING" in test or "__name__" in test:
            return
        if not isinstance(node.test, ast.Compare):
            self._add(node.test, f"not ({self._text(node.test)})", "condition")
        self.generic_visit(node)

    # Changes

    def visit_Compare(self, node: ast.Compare) -> None:
        if len(node.ops) == 1 and type(node.ops[0]) in _COMPARISONS:
            text = _COMPARISONS[type(node.ops[0])]
            self._add_between(node.left, node.comparators[0], text, "compare")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        text = "or" if isinstance(node.op, ast.And) else "and"
        if len(node.values) == 2:
            self._add_between(*node.values, text, "and, or")
        else:
            self._add(
                node.values[-1], "True" if isinstance(node.op, ast.And) else "False", "operand left out"
            )
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            self._add(node, f"({self._text(node.operand)})", "not")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        is_text = any(isinstance(side, ast.JoinedStr) or _is_text(side) for side in (node.left, node.right))
        if type(node.op) in _ARITHMETIC and not is_text:
            self._add_between(node.left, node.right, _ARITHMETIC[type(node.op)], "arithmetic")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self._add(node, str(not node.value), "constant")
        elif isinstance(node.value, int):
            self._add(node, str(node.value + 1), "constant")
        elif isinstance(node.value, str) and node.value and " " in node.value:
            self._add(node, repr(node.value + "."), "text")

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        for each in node.values:
            if isinstance(each, ast.FormattedValue):
                self.visit(each.value)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            self._add(node.value, "None", "return")
            self.visit(node.value)

    def visit_Continue(self, node: ast.Continue) -> None:
        self._add(node, "break", "loop")

    def visit_Break(self, node: ast.Break) -> None:
        self._add(node, "continue", "loop")

    def visit_Raise(self, node: ast.Raise) -> None:
        self._add(node, "pass", "raise left out")
        self.generic_visit(node)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _brief(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 70 else f"{line[:67]}..."
