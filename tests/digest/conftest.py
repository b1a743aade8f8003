"""Sample feeds, written for these tests."""

import pytest

from tests.support.paths import DATA


@pytest.fixture
def sample():
    """The bytes of a file in tests/data, such as `feeds/atom.xml`."""
    return lambda name: (DATA / name).read_bytes()
