"""One concept has one name, and one name stands for one concept, over the whole tree."""

import ast
from collections import defaultdict

from tests.support.paths import ROOT

PRODUCT = ("config", "digest", "subscribers", "bench")
# Django finds these by their names.
NAMED_BY_DJANGO = {"Command"}


def public_names(kinds, packages):
    """Return where each public name of a module is defined: {name: [path, …]}."""
    found = defaultdict(list)
    modules = [
        module
        for package in packages
        for module in sorted((ROOT / package).rglob("*.py"))
        if "migrations" not in module.parts
    ]
    assert len(modules) > 200, "the tree was not found"
    for module in modules:
        for node in ast.parse(module.read_text()).body:
            if isinstance(node, kinds) and not node.name.startswith("_"):
                found[node.name].append(str(module.relative_to(ROOT)))
    return found


def test_no_two_public_classes_share_a_name():
    classes = public_names(ast.ClassDef, (*PRODUCT, "tests"))

    shared = {name: paths for name, paths in classes.items() if len(paths) > 1}

    assert shared.keys() <= NAMED_BY_DJANGO, shared


def test_no_three_public_functions_share_a_name():
    # Tests are left out: pytest finds a fixture by its name, and each folder has its own fixtures.
    functions = public_names((ast.FunctionDef, ast.AsyncFunctionDef), PRODUCT)

    shared = {name: paths for name, paths in functions.items() if len(paths) > 2}

    assert not shared
