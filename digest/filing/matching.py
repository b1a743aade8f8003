"""Find the first rule that a story meets; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from digest.filing.phrases import begins_with, has_words, plain_form


class Filable(Protocol):
    """What rules look at of a story."""

    @property
    def feed_id(self) -> int | None: ...
    @property
    def title(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def categories(self) -> Sequence[str]: ...


class StoryRule(Protocol):
    """One condition; with a feed it holds for that feed's stories alone."""

    @property
    def feed_id(self) -> int | None: ...
    @property
    def kind(self) -> str: ...
    @property
    def value(self) -> str: ...


AnyRule = TypeVar("AnyRule", bound=StoryRule)


def meets(story: Filable, rule: StoryRule) -> bool:
    """Tell whether the story meets the rule's condition; an unknown kind of rule is met by none."""
    if rule.feed_id is not None and rule.feed_id != story.feed_id:
        return False
    match rule.kind:
        case "feed":
            return rule.feed_id is not None
        case "category":
            wanted = plain_form(rule.value)
            return bool(wanted) and any(plain_form(name) == wanted for name in story.categories)
        case "words":
            return has_words(story.title, rule.value)
        case "path":
            return begins_with(story.url, rule.value)
    return False


def first_match(story: Filable, rules: Iterable[AnyRule]) -> AnyRule | None:
    """Return the first of the rules that the story meets."""
    return next((rule for rule in rules if meets(story, rule)), None)
