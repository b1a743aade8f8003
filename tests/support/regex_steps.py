"""Count how often a regular expression looks at a character, as Python's `re` would.

`re` cannot say how much it works, and seconds say as much about the machine. This is the same
search with backtracking, in Python and with a counter: greedy repeats give back one piece at a
time, possessive ones and atomic groups give back nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from re import _compiler, _parser
from re import _constants as op
from typing import Any

Continue = Callable[[int], bool]
Matcher = Callable[[int, Continue], bool]

_SINGLE = {op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN}


class TooManySteps(Exception):
    """The search was given up at its limit."""


class StepCounter:
    """A pattern that counts its steps in one text."""

    def __init__(self, pattern: re.Pattern[str], text: str, *, limit: int = 200_000) -> None:
        self.text, self.limit, self.steps = text, limit, 0
        self.flags = pattern.flags
        self.tree = _parser.parse(pattern.pattern, pattern.flags)
        self.match_at = self._sequence(list(self.tree))

    def search_all(self) -> int:
        """Return the steps of finding every match, as `sub`, `split` and `finditer` do."""
        self.ends()
        return self.steps

    def ends(self) -> list[int]:
        """Return where each match ends that is not empty."""
        ends, at = [], 0
        while at <= len(self.text):
            end = self._match(at)
            if end is None or end == at:
                at += 1
            else:
                ends.append(at := end)
        return ends

    def match(self) -> int:
        """Return the steps of `match` or `fullmatch`, of which the second takes more."""
        self.match_at(0, lambda end: end == len(self.text))
        return self.steps

    def _match(self, at: int) -> int | None:
        ends: list[int] = []
        self._step()
        self.match_at(at, lambda end: bool(ends.append(end)) or True)
        return ends[0] if ends else None

    def _step(self) -> None:
        self.steps += 1
        if self.steps > self.limit:
            raise TooManySteps

    def _sequence(self, nodes: Sequence[Any]) -> Matcher:
        matchers = [self._node(node) for node in nodes]

        def match(at: int, then: Continue, index: int = 0) -> bool:
            if index == len(matchers):
                return then(at)
            return matchers[index](at, lambda end: match(end, then, index + 1))

        return match

    def _node(self, node: Any) -> Matcher:
        kind, argument = node
        if kind in _SINGLE:
            return self._single(node)
        if kind is op.SUBPATTERN:
            return self._sequence(list(argument[3]))
        if kind is op.BRANCH:
            return self._branch([self._sequence(list(branch)) for branch in argument[1]])
        if kind is op.ATOMIC_GROUP:
            return self._atomic(self._sequence(list(argument)))
        if kind in (op.ASSERT, op.ASSERT_NOT):
            return self._look(kind is op.ASSERT, *argument)
        if kind is op.AT:
            return self._place(node)
        least, most, piece = argument
        inner = list(piece)
        if len(inner) == 1 and inner[0][0] in _SINGLE and kind is not op.MIN_REPEAT:
            repeat = self._run(self._predicate(inner[0]), least, most)
        else:
            repeat = self._repeat(self._sequence(inner), least, most, lazy=kind is op.MIN_REPEAT)
        return self._atomic(repeat) if kind is op.POSSESSIVE_REPEAT else repeat

    def _predicate(self, node: Any) -> Callable[[str], bool]:
        compiled = self._compile(node)
        return cache(lambda character: compiled.match(character) is not None)

    def _compile(self, node: Any) -> re.Pattern[str]:
        return _compiler.compile(_parser.SubPattern(self.tree.state, [node]), self.flags)

    def _single(self, node: Any) -> Matcher:
        fits = self._predicate(node)

        def match(at: int, then: Continue) -> bool:
            self._step()
            return at < len(self.text) and fits(self.text[at]) and then(at + 1)

        return match

    def _branch(self, branches: list[Matcher]) -> Matcher:
        return lambda at, then: any(branch(at, then) for branch in branches)

    def _atomic(self, inner: Matcher) -> Matcher:
        def match(at: int, then: Continue) -> bool:
            ends: list[int] = []
            inner(at, lambda end: bool(ends.append(end)) or True)
            return bool(ends) and then(ends[0])

        return match

    def _look(self, wanted: bool, direction: int, piece: Any) -> Matcher:
        inner, width = self._sequence(list(piece)), piece.getwidth()[1]

        def match(at: int, then: Continue) -> bool:
            start = at if direction > 0 else at - width
            found = start >= 0 and inner(start, lambda end: direction > 0 or end == at)
            return found is wanted and then(at)

        return match

    def _place(self, node: Any) -> Matcher:
        compiled = self._compile(node)

        def match(at: int, then: Continue) -> bool:
            self._step()
            return compiled.match(self.text, at) is not None and then(at)

        return match

    def _run(self, fits: Callable[[str], bool], least: int, most: int) -> Matcher:
        """Repeat one character, without a call for each."""

        def match(at: int, then: Continue) -> bool:
            end = at
            while end < len(self.text) and end - at < most and fits(self.text[end]):
                self._step()
                end += 1
            self._step()
            while end - at >= least:
                if then(end):
                    return True
                self._step()
                end -= 1
            return False

        return match

    def _repeat(self, inner: Matcher, least: int, most: int, *, lazy: bool) -> Matcher:
        def match(at: int, then: Continue, count: int = 0) -> bool:
            def again(end: int) -> bool:
                # A piece that matches nothing is not repeated for ever.
                return (end > at or count < least) and match(end, then, count + 1)

            if count < least:
                return inner(at, again)
            if lazy:
                return then(at) or (count < most and inner(at, again))
            return (count < most and inner(at, again)) or then(at)

        return match


def alphabet(pattern: re.Pattern[str]) -> str:
    """Return characters that the pattern tells apart: its own, and some of each class."""
    found = {" ", "\x01"}

    def visit(nodes: Any) -> None:
        for kind, argument in nodes:
            if kind in (op.LITERAL, op.NOT_LITERAL):
                found.add(chr(argument))
            elif kind is op.RANGE:
                found.add(chr(argument[0]))
            elif kind is op.CATEGORY:
                found.update("a0 \n.")
            elif kind is op.AT:
                found.add("\n")
            elif kind is op.IN:
                visit(argument)
            elif kind is op.ANY:
                found.update("a.")
            for piece in _pieces(kind, argument):
                visit(piece)

    visit(_parser.parse(pattern.pattern, pattern.flags))
    return "".join(sorted(found))


def literals(pattern: re.Pattern[str]) -> list[str]:
    """Return the longest words of the pattern, at most three."""
    found = {""}

    def visit(nodes: Any) -> None:
        word = ""
        for kind, argument in nodes:
            word = word + chr(argument) if kind is op.LITERAL else ""
            found.add(word)
            for piece in _pieces(kind, argument):
                visit(piece)

    visit(_parser.parse(pattern.pattern, pattern.flags))
    whole = [word for word in found if not any(word != o and o.startswith(word) for o in found)]
    return sorted(whole, key=len, reverse=True)[:3] or ["a"]


def nested_repeats(pattern: re.Pattern[str]) -> list[Any]:
    """Return the repeats of variable length that stand in another one and may give back."""
    found: list[Any] = []

    def visit(nodes: Any, *, within: bool) -> None:
        for kind, argument in nodes:
            inside = within
            if kind in (op.MAX_REPEAT, op.MIN_REPEAT):
                least, most, _ = argument
                if within and most > least + 1:
                    found.append(argument)
                inside = within or most > 1
            for piece in _pieces(kind, argument):
                visit(piece, within=inside)

    visit(_parser.parse(pattern.pattern, pattern.flags), within=False)
    return found


def _pieces(kind: Any, argument: Any) -> Sequence[Any]:
    if kind is op.BRANCH:
        return argument[1]  # type: ignore[no-any-return]
    if kind in (op.ASSERT, op.ASSERT_NOT):
        return [argument[1]]
    if kind is op.SUBPATTERN:
        return [argument[3]]
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        return [argument[2]]
    return [argument] if kind is op.ATOMIC_GROUP else []
