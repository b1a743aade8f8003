"""Sample feeds, written for these tests."""

from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parent.parent / "data"


@pytest.fixture
def sample():
    """The bytes of a file in tests/data, such as `feeds/atom.xml`."""
    return lambda name: (DATA / name).read_bytes()
