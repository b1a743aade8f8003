"""A folder has no more entries than a person takes in at one look, and says what is in it."""

import os
from pathlib import Path

from tests.support.paths import ROOT

MOST = 25
PACKAGES = ("config", "digest", "subscribers")
TOP = (*PACKAGES, "bench", "docs", "static", "templates", "tests")
# What tools leave behind, and what every room has.
UNCOUNTED = {"__pycache__", "node_modules", "__init__.py"}


def folders():
    """Yield every folder of the tree with the names in it."""
    for top in TOP:
        for folder, below, files in os.walk(ROOT / top):
            below[:] = sorted(set(below) - UNCOUNTED)
            yield Path(folder).relative_to(ROOT), {*below, *files} - UNCOUNTED


def test_no_folder_has_more_than_25_entries():
    crowded = {
        str(folder): len(names)
        for folder, names in folders()
        if len(names) > MOST and folder.name != "migrations"
    }

    assert crowded == {}


def test_every_package_says_what_is_in_it():
    silent = [
        str(init.relative_to(ROOT))
        for package in PACKAGES
        for init in (ROOT / package).rglob("__init__.py")
        if any(module.name != "__init__.py" for module in init.parent.glob("*.py"))
        and not {"migrations", "management", "formats", "templatetags"} & set(init.parts)
        and not init.read_text().startswith('"""')
    ]

    assert silent == []
