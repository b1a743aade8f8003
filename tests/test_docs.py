"""Every name that the documentation gives in backticks exists in the tree."""

import ast
import os
import re
import tomllib
from functools import cache

import pytest
from django.conf import settings

from tests.support.paths import ROOT

DOCS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = ("digest", "subscribers", "config", "tests", "bench", "templates", "static", "docs")
PACKAGES = ("digest", "subscribers", "config", "bench", "tests")
# Names that the tree does not define: HTTP headers, settings and classes of libraries, members of
# an event, a file that a command writes.
FOREIGN = {
    "Link", "RateLimit", "MAILGUN_SENDER_DOMAIN", "sender_domain",
    "UnfoldAdminMultipleAutocompleteWidget", "data.erased", "data.moved_to",
    "event.detail.newsletter", "message.eml", "SeparateDatabaseAndState", "ValidateConstraint",
    "services.py", "utils.py",
}  # fmt: skip
LIBRARIES_COMMANDS = {
    "axes_reset", "axes_reset_username",
    "changepassword", "check", "collectstatic", "createsuperuser", "migrate",
}  # fmt: skip
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
DOTTED = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)(?:\(.*\))?", re.DOTALL)
FILE = re.compile(r"[\w./-]+\.(?:py|lua|md)")
CLASS = re.compile(r"(?:[A-Z][a-z]+)+")
WORDS = re.compile(r"[A-Za-z]+(?:_[A-Za-z]+)+")


@cache
def files():
    """The paths of all files that the documentation may name, from the root."""
    found = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file())
    return [path.relative_to(ROOT).as_posix() for path in found if path.suffix != ".pyc"]


@cache
def dotted_names():
    """Every dotted name of the packages, with each of its ends: a.b.c, b.c and c."""
    known = set()
    for path in files():
        if path.endswith(".py") and path.startswith(PACKAGES) and "/migrations/" not in path:
            module = path.removesuffix(".py").removesuffix("/__init__").split("/")
            for name in (module, *members(module, ast.parse((ROOT / path).read_text()).body)):
                known.update(".".join(name[first:]) for first in range(len(name)))
    return known


def members(owner, body):
    """Yield the names that a module or class defines or imports, and those of its classes."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from members([*owner, node.name], node.body)
        names = {target.id for target in ast.walk(node) if is_stored(target)}
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names = {node.name}
        elif isinstance(node, ast.ImportFrom):
            names = {alias.asname or alias.name for alias in node.names}
        yield from ([*owner, name] for name in names)


def is_stored(node):
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


@cache
def words():
    """Every word of the code, for names that are strings there: columns, indexes, settings."""
    code = [path for path in files() if not path.startswith(("docs/", "tests/"))]
    texts = [(ROOT / path).read_text(errors="ignore") for path in [*code, ".env.example"]]
    return set(re.findall(r"\w+", " ".join(texts)))


def exists(name):
    """Whether a name in backticks exists; True for anything that is no name of the code."""
    if name in FOREIGN or name.endswith(".com") or name in os.listdir(ROOT):
        return True
    if name.startswith(tuple(f"{folder}/" for folder in FOLDERS)) and " " not in name:
        return any(ROOT.glob(re.sub(r"<\w+>", "*", name.rstrip("/"))))
    if FILE.fullmatch(name):
        return any(f"/{path}".endswith(f"/{name}") for path in files())
    if dotted := DOTTED.fullmatch(name):
        is_file = any(f"/{path}".endswith(f"/{name}") for path in [*files(), *os.listdir(ROOT)])
        return is_file or dotted[1] in dotted_names() | event_names()
    if CLASS.fullmatch(name):
        return name in dotted_names()
    if WORDS.fullmatch(name):
        return name in words() or (name.isupper() and name.lower() in words())
    return True


@cache
def event_names():
    models = (ROOT / "subscribers/models/webhooks.py").read_text()
    return set(re.findall(r'"(\w+\.\w+)"', models))


def spans(markdown):
    """What stands in backticks; a span may go over a line's end, but not over a blank line."""
    found = re.findall(r"`((?:[^`\n]|\n(?!\n))+)`", FENCE.sub("", markdown))
    return [" ".join(span.split()) for span in found]


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: doc.name)
def test_every_name_in_a_document_exists(doc):
    unknown = {span for span in spans(doc.read_text()) if not exists(span)}

    assert not unknown


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: doc.name)
def test_every_command_and_link_in_a_document_exists(doc):
    text = doc.read_text()
    commands = set(re.findall(r"manage\.py (\w+)", text)) - LIBRARIES_COMMANDS
    code = "\n".join([*spans(text), *FENCE.findall(text)])
    targets = set(re.findall(r"^ *(?:[A-Z]+=\S+ )?make ([\w-]+)", code, re.MULTILINE))
    links = set(re.findall(r"\]\(((?!http)[^)#]+)", text))
    makefile = (ROOT / "Makefile").read_text()

    assert not {name for name in commands if not exists(f"commands/{name}.py")}
    assert not {name for name in targets if not re.search(rf"^{name}:", makefile, re.MULTILINE)}
    assert not {link for link in links if not (doc.parent / link).exists()}


def test_the_changelog_begins_with_the_version_of_this_code():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    versions = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert versions[0] == project["version"] == settings.VERSION


def test_every_dependency_has_its_reason_its_licence_and_its_hashes():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = {
        "requirements.txt": project["project"]["dependencies"],
        "tests/requirements.txt": project["dependency-groups"]["test"],
        "requirements-events.txt": project["dependency-groups"]["events"],
    }
    table = (ROOT / "docs/dependencies.md").read_text()
    rows = re.findall(r"^\| (.+?) \| .{10,} \| .*[A-Z].* \|$", table, re.MULTILINE)
    explained = {name for row in rows for name in row.split(", ")}

    for file, packages in needed.items():
        names = {re.match(r"[\w.\[\]-]+", package)[0] for package in packages}
        locked = re.split(r"\n(?=\w)", (ROOT / file).read_text())[1:]
        assert names <= explained
        assert {plain(name) for name in names} <= {plain(entry) for entry in locked}
        assert all(re.match(r"\S+==\S+ .*\\\n +--hash=sha256:", entry) for entry in locked)


def plain(requirement):
    """Return a package's name as the index compares it, without extras."""
    return re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-").replace(".", "-")


def test_every_place_in_the_glossary_exists():
    glossary = (ROOT / "docs/glossary.md").read_text()
    rows = re.findall(r"^\| (?!term|---)(.+?) \| (.+) \| (.+?) \|$", glossary, re.MULTILINE)
    assert len(rows) > 50

    for term, _, where in rows:
        places = spans(where)
        assert places, term
        assert not [place for place in places if place not in dotted_names()], term


@pytest.mark.parametrize(
    "misspelt",
    [
        "digest/delivery/lanes.py", "digest.delivery.lanes", "claim.WINDOWS", "Edition.correct",
        "Deliveries", "data_export_asked", "claims.py", "RETENTION_DAYS",
    ],
)  # fmt: skip
def test_a_misspelt_name_is_found(misspelt):
    assert not exists(misspelt)
