"""A process that only orders stories does not load the libraries of grouping."""

import subprocess
import sys

import pytest

from digest import ranking


@pytest.mark.subprocess
def test_the_ranking_loads_numpy_only_for_what_groups():
    code = (
        "import sys; import digest.ranking.rank, digest.ranking.week; "
        "heavy = {'numpy', 'scipy', 'sklearn'}; assert not heavy & set(sys.modules); "
        "from digest.ranking import group; assert heavy <= set(sys.modules)"
    )

    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_name_that_the_ranking_has_not_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'cluster'"):
        ranking.cluster  # noqa: B018
