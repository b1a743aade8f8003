"""Choose the language of a reader's pages and mails."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

from subscribers.models import Newsletter, Subscription

# The query parameter that asks for a language. The switch in the footer sets it.
PARAMETER = "lang"
# The newsroom's own pages are in English, whatever the editor's browser prefers.
_STAFF = ("/admin/", "/mailbox/")
# Forms in other people's pages and the API set no cookie.
_NO_COOKIE = ("/embed", "/api/")


def supported(tag: str) -> str:
    """Return the supported language that a tag asks for, such as de for de-AT, or ""."""
    try:
        return translation.get_supported_language_variant(tag.lower()) if tag else ""
    except LookupError:
        return ""


def first_supported(*tags: str) -> str:
    """Return the first supported language that a tag asks for, or else the site's own."""
    return next(filter(None, map(supported, tags)), settings.LANGUAGE_CODE)


def mail_language(subscription: Subscription) -> str:
    """Return the language that the reader chose, or else the newsletter's."""
    return first_supported(subscription.subscriber.language, subscription.newsletter.language)


def activate_for(
    request: HttpRequest,
    *,
    newsletter: Newsletter | None = None,
    subscription: Subscription | None = None,
) -> None:
    """Activate the reader's language for this request.

    The first of these counts: the query parameter (the switch in the footer), the choice of the
    reader of a signed link, the choice made in this browser, what the browser asks for, the
    newsletter's own. A view calls this again once it knows the reader or the newsletter.
    """
    if subscription is not None:
        newsletter = newsletter or subscription.newsletter
    language = first_supported(
        request.GET.get(PARAMETER, ""),
        subscription.subscriber.language if subscription else "",
        request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""),
        *_accepted(request),
        newsletter.language if newsletter else "",
    )
    translation.activate(language)


class LanguageMiddleware:
    """Activate the reader's language for one request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(_STAFF):
            with translation.override(settings.LANGUAGE_CODE):
                return self.get_response(request)
        # A language that a view activates ends with the request: the thread answers others next.
        with translation.override(None):
            activate_for(request)
            response = self.get_response(request)
        # A response that caches may share is in one language for everybody.
        if "public" not in response.get("Cache-Control", ""):
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        _remember(request, response)
        return response


def _accepted(request: HttpRequest) -> Iterator[str]:
    """Yield the languages of the Accept-Language header, most preferred first, up to a `*`."""
    for tag, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        if tag == "*":
            return
        yield tag


def _remember(request: HttpRequest, response: HttpResponse) -> None:
    """Keep the language chosen with the switch, for the pages after this one."""
    chosen = supported(request.GET.get(PARAMETER, ""))
    if not chosen or request.path_info.startswith(_NO_COOKIE):
        return
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        chosen,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        samesite="Lax",
        httponly=True,
    )
