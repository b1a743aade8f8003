"""No template shows a reader text that has not gone through gettext."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.template import engines
from django.template.base import Node, NodeList, TextNode
from django.templatetags.i18n import BlockTranslateNode

TEMPLATES = Path(settings.BASE_DIR) / "templates"
# Templates that are not for readers, and an include that holds only the attributes lang and dir.
STAFF = (
    "admin", "api", "mailbox", "email/draft", "email/held", "email/not_sent", "email/reminder",
    "subscribers/_language.html", "unfold",
)  # fmt: skip
READERS = sorted(
    path.relative_to(TEMPLATES).as_posix()
    for path in TEMPLATES.rglob("*")
    if path.suffix in {".html", ".txt"}
    and not path.relative_to(TEMPLATES).as_posix().startswith(STAFF)
)
# Attributes whose text is shown or read out.
SHOWN = {
    "alt", "aria-label", "aria-description", "content", "label", "placeholder", "title", "value",
}  # fmt: skip
UNSHOWN_META = {"viewport", "color-scheme", "supported-color-schemes", "robots", "format-detection"}
# Stands for whatever a tag prints.
PRINTED = "\u2060"
# The product's name, and the tokens that a reader's own values replace.
NAMES = re.compile(r"Daybreak|__[A-Z_]+?\u2060?__")


def own_text(nodes: NodeList) -> str:
    """Return the text that the template itself contains, from every branch."""
    return "".join(map(_own_text, nodes))


def _own_text(node: Node) -> str:
    if isinstance(node, TextNode):
        return str(node.s)
    if isinstance(node, BlockTranslateNode):
        return PRINTED
    if branches := getattr(node, "conditions_nodelists", None):
        return "".join(own_text(nodes) for _, nodes in branches)
    inside = {name: getattr(node, name, None) for name in (*node.child_nodelists, "nodelist")}
    return "".join(map(own_text, filter(None, inside.values()))) or PRINTED


class LiteralText(HTMLParser):
    """Collect the text that a page shows and that no template tag printed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in {"style", "script"}
        values = dict(attributes)
        is_plain_meta = tag == "meta" and (
            "http-equiv" in values or values.get("name") in UNSHOWN_META or not values.get("name")
        )
        is_hidden_field = tag in {"input", "button", "option"} and values.get("type") == "hidden"
        # A button's name and value are for the server; its label is its content.
        for name in SHOWN - ({"value"} if tag in {"button", "option", "input", "param"} else set()):
            if not is_plain_meta and not is_hidden_field:
                self._note(values.get(name) or "")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"style", "script"}

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._note(data)

    def _note(self, text: str) -> None:
        if re.search(r"[^\W\d_]", NAMES.sub("", text)):
            self.found.append(text.strip())


def untranslated_text(name: str, nodes: NodeList) -> list[str]:
    text = own_text(nodes)
    shown = LiteralText()
    if name.endswith(".html"):
        # A heading may be h2 or h3.
        shown.feed(re.sub(f"(</?){PRINTED}", r"\1span", text))
        shown.close()
    else:
        shown.handle_data(text)
    return shown.found


def test_the_templates_for_readers_are_found():
    assert {"base.html", "email/confirm/body.txt", "subscribers/confirm.html"} <= set(READERS)


@pytest.mark.parametrize("name", READERS)
def test_every_text_of_a_template_is_translated(name):
    template = engines["django"].get_template(name).template

    assert untranslated_text(name, template.nodelist) == []


@pytest.mark.parametrize(
    "markup",
    [
        "<p>Hello</p>",
        '<p aria-label="Hello">{{ name }}</p>',
        "{% if name %}<b>Hello</b>{% else %}{{ name }}{% endif %}",
        "{% block main %}{% for x in y %}Hello{% endfor %}{% endblock %}",
        "{% with x=y %}{% filter upper %}Hello{% endfilter %}{% endwith %}",
        "{% autoescape off %}Hello{% endautoescape %}",
    ],
)
def test_an_untranslated_text_is_found(markup):
    nodes = engines["django"].from_string(markup).template.nodelist

    assert untranslated_text("markup.html", nodes) == ["Hello"]


@pytest.mark.parametrize("name", READERS)
def test_no_template_uses_a_filter_that_only_knows_english(name):
    source = (TEMPLATES / name).read_text("utf-8")

    assert not re.search(r"\|\s*(pluralize|apnumber|naturalday|default:\"[A-Za-z])", source)
