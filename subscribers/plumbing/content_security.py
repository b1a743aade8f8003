"""Say what each kind of page may load, run and be framed by: its Content-Security-Policy.

A page that no decorator gives a policy of its own gets that of its kind: the admin's, or the
readers'. What is no page gets one by which a browser would do nothing with it. No policy has a
nonce, so pages may be cached: ours have no inline script and no style attribute, and a style
element is allowed by the hash of its text.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeVar, cast
from urllib.parse import urlsplit

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Policy = Mapping[str, Sequence[str]]
View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def _origin(url: str) -> list[str]:
    parts = urlsplit(url)
    return [f"{parts.scheme}://{parts.netloc}"] if parts.netloc else []


# Staff may open the site by another name than the one in links and snippets.
_SITE = [SELF, *_origin(settings.SITE_URL)]

NOTHING: Final[Policy] = {"default-src": [NONE], "frame-ancestors": [NONE]}

# What every page has. Each policy below names what it adds.
_CLOSED: Final[Policy] = {
    "default-src": [NONE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
}

READER_PAGE: Final[Policy] = {
    **_CLOSED,
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
}

# templates/500.html has its styles in it; this is the hash of their text.
FAILURE_PAGE: Final[Policy] = {
    **_CLOSED,
    "style-src": ["'sha256-m2OlBttNjpL/xqXXDtgY4aPO6uQwLQlB6Rbb+pwR0sE='"],
}

# The page of an iframe in a newsroom's own pages, which are on any host.
EMBEDDED_PAGE: Final[Policy] = {**READER_PAGE, "frame-ancestors": ["*"]}

# unfold builds its pages with Alpine, which makes a function of each expression in an attribute, as
# htmx does of each condition of a trigger: for a browser that is eval. The bar of actions above
# unfold's lists has its width in a style attribute.
ADMIN_PAGE: Final[Policy] = {
    **READER_PAGE,
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src-attr": [UNSAFE_INLINE],
    "font-src": [SELF],
    "frame-src": [SELF],
}

# A mail as a page: its styles are inline, and its pictures are on the publishers' hosts. A picture
# whose address names a port may be on plain http (digest.rendering.links.external_url).
MAIL_PAGE: Final[Policy] = {
    **_CLOSED,
    "style-src": [UNSAFE_INLINE],
    "img-src": ["https:", "http:"],
}

# A mail inside a page of ours. It may open links, if the frame lets it, and can do nothing else.
MAIL_FRAME: Final[Policy] = {
    **MAIL_PAGE,
    "frame-ancestors": [SELF],
    "sandbox": [
        "allow-popups",
        "allow-popups-to-escape-sandbox",
        "allow-top-navigation-by-user-activation",
    ],
}

# The page around such a frame in the local mailbox, with the button that posts a one-click.
MAILBOX_PAGE: Final[Policy] = {**READER_PAGE, "frame-src": [SELF], "form-action": _SITE}

# A sample of a newsroom's page, which holds the snippet as that page would.
SNIPPET_FRAME: Final[Policy] = {
    **_CLOSED,
    "script-src": _SITE,
    "style-src": [SELF],
    "img-src": [SELF],
    "connect-src": _SITE,
    "frame-src": _SITE,
    "frame-ancestors": [SELF],
}

# Swagger UI draws its icons from data: URLs.
API_DOCS: Final[Policy] = {
    **_CLOSED,
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "connect-src": [SELF],
}


def with_policy(policy: Policy) -> Callable[[View], View]:
    """Decorate a view, or a method that is one, whose pages have this policy."""
    # django-csp's own types know neither methods nor arguments.
    return cast("Callable[[View], View]", csp(dict(policy)))


@lru_cache(maxsize=256)
def source_of(text: str) -> str:
    """Return the source by which a policy allows the inline element that holds this text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def allow_style(request: HttpRequest, text: str) -> None:
    """Let the page that answers this request have a style element with exactly this text."""
    request.META.setdefault("subscribers.allowed_styles", []).append(source_of(text))


class ContentSecurityMiddleware(CSPMiddleware):
    """Choose the policy of a response that has none from a decorator."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and parts.config is None:
            parts.config = dict(_policy_of(request, response))
            if styles := request.META.get("subscribers.allowed_styles"):
                parts.update = {"style-src": styles}
        return parts


def _policy_of(request: HttpRequest, response: HttpResponseBase) -> Policy:
    # The browser keeps the policy of the page that it has stored (RFC 9111, section 3.2).
    if response.status_code == 304:
        return {}
    if not response.get("Content-Type", "").startswith("text/html"):
        # Firefox applies a picture's policy to the styles inside of the picture.
        is_file = request.path_info.startswith(settings.STATIC_URL)
        return {} if is_file else NOTHING
    match = request.resolver_match
    return ADMIN_PAGE if match and "admin" in match.app_names else READER_PAGE
