"""A folder in which a test may run a PostgreSQL and a Redis of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config import machine


@pytest.fixture
def var() -> Iterator[Path]:
    """Not below pytest's tmp_path: another pytest that starts closes its parent to all but root,
    and PostgreSQL, which does not run as root, then loses sight of its files.
    """
    with tempfile.TemporaryDirectory(prefix="daybreak-") as folder:
        var = Path(folder).resolve()
        yield var
        _end(var)


@pytest.fixture
def deep_var(var: Path) -> Iterator[Path]:
    """A folder whose sockets' paths would be longer than an address of a socket may be."""
    deep = var / "/".join(["a-folder-of-a-careful-person"] * 5)
    yield deep
    _end(deep)


def _end(var: Path) -> None:
    machine.run("manage.py", "stop", var=var)
    assert machine.processes(var) == []
