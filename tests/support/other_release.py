"""Values in the cache that another release of the code has stored."""

from importlib import import_module
from typing import Any


class FromAnotherRelease:
    """Is pickled as an object of a class that this release does not have."""

    def __init__(self, module: str) -> None:
        self.module = module

    def __reduce__(self) -> tuple[Any, ...]:
        return _load, (self.module, "NoSuchClass")


def _load(module: str, name: str) -> Any:
    return getattr(import_module(module), name)
