"""A folder has no more entries than a person takes in at one look, and says what is in it."""

import ast
import os
import re
from pathlib import Path

from tests.support.paths import ROOT

MOST = 25
PACKAGES = ("config", "digest", "subscribers")
TOP = (*PACKAGES, "bench", "docs", "static", "templates", "tests")
# Packages whose modules are known by their names: commands, languages, numbers.
LISTS_NOTHING = {"commands", "formats", "migrations"}
# What tools leave behind, and what every room has.
UNCOUNTED = {"__pycache__", "node_modules", "__init__.py"}


def folders():
    """Yield every folder of the tree with the names in it."""
    for top in TOP:
        for folder, below, files in os.walk(ROOT / top):
            below[:] = sorted(set(below) - UNCOUNTED)
            yield Path(folder).relative_to(ROOT), {*below, *files} - UNCOUNTED


def test_no_folder_has_more_than_25_entries():
    assert Path("subscribers/models") in dict(folders())
    crowded = {
        str(folder): len(names)
        for folder, names in folders()
        if len(names) > MOST and folder.name != "migrations"
    }

    assert crowded == {}


def modules_of(folder):
    """Return the names of the modules and packages in a folder, as its list should have them."""
    found = {module.stem for module in folder.glob("*.py")} - {"__init__"}
    return found | {init.parent.name for init in folder.glob("*/__init__.py")}


def packages():
    for package in PACKAGES:
        for init in (ROOT / package).rglob("__init__.py"):
            if (
                not LISTS_NOTHING & set(init.relative_to(ROOT).parts)
                and modules_of(init.parent) - LISTS_NOTHING
            ):
                yield init


def listed_in(init):
    """Return the names that the docstring lists, with two spaces or more before what they do."""
    docstring = ast.get_docstring(ast.parse(init.read_text())) or ""
    lines = re.findall(r"^([a-z0-9_]+(?:, [a-z0-9_]+)*)  +\S", docstring, re.MULTILINE)
    return {name for names in lines for name in names.split(", ")}


def test_every_package_lists_its_modules_and_no_others():
    wrong = {}
    found = list(packages())
    assert len(found) > 30
    for init in found:
        modules, listed = modules_of(init.parent), listed_in(init)
        if differing := (modules - LISTS_NOTHING - listed) | (listed - modules):
            wrong[str(init.relative_to(ROOT))] = sorted(differing)

    assert wrong == {}
