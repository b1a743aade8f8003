"""No text from outside makes a regular expression of the product work out of proportion."""

from __future__ import annotations

import ast
import importlib
import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from digest.ranking import sieve
from tests.support.paths import ROOT
from tests.support.regex_steps import StepCounter, TooManySteps, alphabet, literals, nested_repeats

# Patterns that are put together where they are used, from these constants of ours alone.
PUT_TOGETHER = {
    "digest/admin/edition/actions.py": "prefers-color-scheme",
    "digest/rendering/placeholders.py": "MARKER",
    "subscribers/embed/snippet.py": "PATTERNS[name]",
}
# Files with a pattern that is compiled where it is used, and how many: in merge.py it is a
# formset's prefix of ours and a number, with one repeat of digits.
COMPILED_IN_FUNCTIONS = {"digest/admin/edition/merge.py": 1}


def patterns() -> Iterator[tuple[str, re.Pattern[Any], bool]]:
    """Yield where each regular expression stands, what it is, and whether it searches."""
    for package in ("config", "digest", "subscribers"):
        for path in sorted((ROOT / package).rglob("*.py")):
            source = path.read_text()
            if "import re\n" in source and "migrations" not in path.parts:
                yield from _patterns_of(str(path.relative_to(ROOT)), ast.parse(source))


def _patterns_of(file: str, tree: ast.Module) -> Iterator[tuple[str, re.Pattern[Any], bool]]:
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    for call in calls:
        if ast.unparse(call.func.value) == "re" and call.func.attr not in ("compile", "escape"):
            if not isinstance(call.args[0], ast.Constant):
                assert PUT_TOGETHER.get(file, "?") in ast.unparse(call.args[0]), file
                continue
            flags = re.IGNORECASE if "re.IGNORECASE" in ast.unparse(call) else 0
            pattern = re.compile(call.args[0].value, flags)
            yield f"{file}:{call.lineno}", pattern, _searches(call.func.attr)
    module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
    for name in assigned_names(tree):
        value = getattr(module, name, None)
        used = {call.func.attr for call in calls if ast.unparse(call.func.value) == name}
        for pattern in patterns_in(value):
            yield f"{file} {name}", pattern, not used or any(map(_searches, used))


def patterns_in(value: object) -> Iterator[re.Pattern[Any]]:
    """Yield every pattern of a value, at any depth of its collections and dataclasses."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from patterns_in(one)
    elif isinstance(value, tuple | list | set | frozenset):
        for one in value:
            yield from patterns_in(one)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from patterns_in(getattr(value, field.name))


def assigned_names(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def _searches(method: str) -> bool:
    return method not in ("match", "fullmatch")


FOUND = list(patterns())


def steps(pattern: re.Pattern[Any], text: str, *, search: bool) -> int:
    counter = StepCounter(as_text(pattern), text)
    return counter.search_all() if search else counter.match()


def as_text(pattern: re.Pattern[Any]) -> re.Pattern[str]:
    """Return the same pattern for text, whose characters are then the bytes."""
    if isinstance(pattern.pattern, str):
        return pattern
    return re.compile(pattern.pattern.decode("latin-1"), pattern.flags | re.ASCII)


def deep(function: Callable[[], object]) -> None:
    """Call the function in a thread with a stack for some thousands of nested calls."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)

    limit, size = sys.getrecursionlimit(), threading.stack_size(256 * 1024 * 1024)
    sys.setrecursionlimit(40_000)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(size)
    if errors:
        raise errors[0]


def find_disproportion(pattern: re.Pattern[Any], *, search: bool) -> None:
    """Fail with a text of which twice as much takes more than two and a half times the steps."""
    characters = alphabet(as_text(pattern))
    letters = st.sampled_from(characters)
    units = st.text(letters, min_size=2, max_size=4)
    words = literals(as_text(pattern))

    def check(before: str, unit: str, after: str) -> None:
        once, twice = (
            steps(pattern, before + unit * count + after, search=search) for count in (25, 50)
        )
        assert twice <= 2.5 * once + 500, (before, unit, after)

    # A failure is not made smaller: that would take minutes of matching in Python.
    @settings(max_examples=12, derandomize=True, database=None, phases=[Phase.generate])
    @given(
        st.text(letters, max_size=4),
        units | st.tuples(st.sampled_from(words), units).map("".join),
        st.text(letters, max_size=2),
    )
    def check_some(before: str, unit: str, after: str) -> None:
        check(before, unit, after)

    # Most searches fail at what stands behind: that is when they try everything else.
    for unit in (*characters, *words, *(f"{word} " for word in words)):
        check("", unit, "\x01")
    check_some()


@pytest.mark.parametrize(
    ("pattern", "search"), [found[1:] for found in FOUND], ids=[found[0] for found in FOUND]
)
def test_twice_the_text_takes_at_most_two_and_a_half_times_the_steps(pattern, search):
    deep(lambda: find_disproportion(pattern, search=search))


def test_every_regular_expression_is_found():
    compiled = Counter(where.split(" ")[0] for where, *_ in FOUND if " " in where)
    missing = {}
    for package in ("config", "digest", "subscribers"):
        for path in (ROOT / package).rglob("*.py"):
            file = str(path.relative_to(ROOT))
            calls = path.read_text().count("re.compile(")
            if calls > compiled[file]:
                missing[file] = calls - compiled[file]
    assert missing == COMPILED_IN_FUNCTIONS
    assert compiled["digest/ranking/sieve.py"] == len(sieve._PATTERNS)
    # Patterns that are not compiled are found where they are used.
    assert len(FOUND) - compiled.total() > 25


@pytest.mark.parametrize("pattern", [found[1] for found in FOUND], ids=[one[0] for one in FOUND])
def test_a_repeat_within_a_repeat_gives_nothing_back(pattern):
    assert not nested_repeats(as_text(pattern))


@pytest.mark.parametrize(
    "unsafe", [r"\s+$", r"(a|a)+!", r"[\w-]+\s*=", r"<link\b[^>]*\bhref=", r"a[^c]*b"]
)
def test_an_unsafe_regular_expression_is_found(unsafe):
    with pytest.raises((AssertionError, TooManySteps)):
        deep(lambda: find_disproportion(re.compile(unsafe), search=True))


@pytest.mark.parametrize(
    "unsafe", [r"(a+)+$", r"(?:\s*(?:The post .{1,300}? on .{1,100}|…))+\s*$", r"(?:a|b{2,9})*"]
)
def test_a_nested_repeat_is_found(unsafe):
    assert nested_repeats(re.compile(unsafe))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(a|b)+?c|\bfoo(?=x)|[a-c]{2,3}d|e$", "abababc foox aabd e"),
        (r"(?<!\S)\S+@\S+", "a b@c d@@ e@f"),
        (r"(?>a+)ab|a*+b|(?<=x)y{2,}?", "aaab xyyy"),
        (r"^\W*(?:log ?in|sign up)\b", "  log in\nsign upp\n-sign up"),
    ],
)
def test_steps_are_counted_along_the_matches_that_re_finds(pattern, text):
    compiled = re.compile(pattern, re.MULTILINE)
    ends = [match.end() for match in compiled.finditer(text) if match[0]]
    assert StepCounter(compiled, text).ends() == ends
