"""Read a response's Content-Security-Policy, and find what a browser would refuse under it."""

from __future__ import annotations

from typing import Any

from lxml import html

from subscribers.plumbing.content_security import source_of

Directives = dict[str, list[str]]

# A browser runs no script of these types, so no policy is asked.
DATA = {"application/json", "application/ld+json", "text/template"}
LINKS = {"href", "src", "action", "formaction", "data", "xlink:href"}


def policy_of(response: Any) -> Directives:
    """Return the sources of each directive; a response without a policy has none."""
    parts = response.headers.get("Content-Security-Policy", "").split(";")
    return {name: sources for name, *sources in (part.split() for part in parts if part.strip())}


def is_page(response: Any) -> bool:
    is_html = bool(response.headers.get("Content-Type", "").startswith("text/html"))
    return is_html and bool(response.content.strip())


def refused_markup(response: Any) -> list[str]:
    """Return the page's inline scripts, handlers and styles that its policy does not allow."""
    policy = policy_of(response)
    return [
        f"<{element.tag}> {name}"
        for element in html.fromstring(response.content.decode()).iter(html.etree.Element)
        for name in [*_inline_code(element, policy), *_inline_styles(element, policy)]
    ]


def _inline_code(element: Any, policy: Directives) -> list[str]:
    found = [name for name in element.attrib if name.startswith("on")]
    found += [
        name
        for name, value in element.attrib.items()
        if name in LINKS and value.strip().lower().startswith("javascript:")
    ]
    if element.tag == "script" and "src" not in element.attrib:
        is_data = element.get("type") in DATA
        if not is_data and not _is_listed(element, policy.get("script-src", [])):
            found.append("text")
    return found


def _inline_styles(element: Any, policy: Directives) -> list[str]:
    sources = policy.get("style-src", [])
    found = []
    if "style" in element.attrib and "'unsafe-inline'" not in policy.get("style-src-attr", sources):
        found.append("style")
    if element.tag == "style" and not (
        "'unsafe-inline'" in sources or _is_listed(element, sources)
    ):
        found.append("text")
    return found


def _is_listed(element: Any, sources: list[str]) -> bool:
    nonce = element.get("nonce")
    return source_of(element.text or "") in sources or bool(nonce and f"'nonce-{nonce}'" in sources)
