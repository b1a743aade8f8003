"""Every sentence is fully translated into every language, and the catalogues are compiled.

`make messages` brings the catalogues up to date with the code. It leaves new sentences empty, for
a person to translate.
"""

import gettext
import os
import re
import shutil
import string
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation import to_locale

from config.management.commands.makemessages import IGNORED, Command
from tests.support.paths import ROOT

LOCALES = Path(settings.LOCALE_PATHS[0])
OTHERS = [code for code, _ in settings.LANGUAGES if code != "en"]
PERCENT = re.compile(r"%\((\w+)\)[sd]|%%")
TAG = re.compile(r"</?\w+")


def catalogue(path: Path, *, strict: bool = True) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, abort_invalid=strict)


def messages(code: str) -> list[Message]:
    path = LOCALES / to_locale(code) / "LC_MESSAGES" / "django.po"
    return [message for message in catalogue(path) if message.id]


def forms(message: Message) -> tuple[list[str], list[str]]:
    """Return the sentence and its translation, each as a list of plural forms."""
    return tuple(  # type: ignore[return-value]
        [text] if isinstance(text, str) else list(text) for text in (message.id, message.string)
    )


def placeholders(text: str) -> set[str]:
    if PERCENT.search(text):
        return {found[1] for found in PERCENT.finditer(text) if found[1]}
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("code", OTHERS)
def test_no_message_is_untranslated_or_fuzzy(code):
    bad = [m.id for m in messages(code) if m.fuzzy or not all(forms(m)[1])]

    assert bad == []


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_has_the_placeholders_and_tags_of_its_sentence(code):
    bad = []
    for message in messages(code):
        sentences, translations = forms(message)
        whole = placeholders(sentences[-1])
        tags = sorted(TAG.findall(sentences[-1]))
        for number, text in enumerate(translations, start=1):
            # "In one hour" needs no number, nor does the Arabic dual.
            spared = 1 if number < len(translations) else 0
            missing = whole - placeholders(text)
            unknown = placeholders(text) - whole
            if len(missing) > spared or unknown or sorted(TAG.findall(text)) != tags:
                bad.append((message.id, text))

    assert bad == []


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_keeps_the_leading_and_trailing_spaces_of_its_sentence(code):
    """Without such a space two sentences would run together."""
    bad = []
    for message in messages(code):
        sentences, translations = forms(message)
        for text in translations:
            spaces = [(s[0].isspace(), s[-1].isspace()) for s in (sentences[-1], text)]
            if spaces[0] != spaces[1] or "  " in text:
                bad.append(text)

    assert bad == []


@pytest.mark.parametrize("code", OTHERS)
def test_the_compiled_catalogue_equals_the_written_one(code):
    compiled_path = LOCALES / to_locale(code) / "LC_MESSAGES" / "django.mo"
    with compiled_path.open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    written = {}
    for message in messages(code):
        sentences, translations = forms(message)
        key = f"{message.context}\x04{sentences[0]}" if message.context else sentences[0]
        plural = len(sentences) > 1
        written |= {(key, i) if plural else key: text for i, text in enumerate(translations)}
    compiled.pop("")

    assert compiled == written, "run `make messages`"


@pytest.mark.subprocess
@pytest.mark.skipif(
    not shutil.which("xgettext") and os.environ.get("CI") != "true",
    reason="no GNU gettext: apt-get install gettext",
)
def test_the_catalogues_hold_exactly_the_messages_of_the_code(
    tmp_path, settings, capsys, monkeypatch
):
    # The command writes files beside the templates, which other tests would take for templates.
    for folder in ("config", "digest", "subscribers", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / "code" / folder)
    monkeypatch.chdir(tmp_path / "code")
    settings.LOCALE_PATHS = [tmp_path]
    Command().run_from_argv(
        ["manage.py", "makemessages", "-l", "de", "--ignore", "config/locale", "-v", "0"]
    )
    extracted = catalogue(tmp_path / "de" / "LC_MESSAGES" / "django.po", strict=False)

    assert len(extracted) > 50
    assert IGNORED
    for code in OTHERS:
        difference = {(m.context, m.id) for m in extracted if m.id} ^ {
            (m.context, m.id) for m in messages(code)
        }
        assert difference == set(), f"{code}: run `make messages`, then translate what is empty"
