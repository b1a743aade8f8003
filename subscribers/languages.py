"""Choose the language a reader is spoken to in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

from subscribers.models import Newsletter, Subscription

# The parameter of a page's address that asks for a language, as the switch in the footer does.
PARAMETER = "lang"
# The newsroom's own pages are in English, whatever the editor's browser would like.
_STAFF = ("/admin/", "/mailbox/")
# What stands in other people's pages, or is no page: it keeps no cookie.
_NO_COOKIE = ("/embed", "/api/")


def ours(tag: str) -> str:
    """Return which of our languages a tag asks for, such as de for de-AT; "" where none."""
    try:
        return translation.get_supported_language_variant(tag.lower()) if tag else ""
    except LookupError:
        return ""


def first_of(*tags: str) -> str:
    """Return the first of our languages that a tag asks for, or else the site's own."""
    return next(filter(None, map(ours, tags)), settings.LANGUAGE_CODE)


def of_mails(subscription: Subscription) -> str:
    """Return the language that the reader chose, or else the newsletter's."""
    return first_of(subscription.subscriber.language, subscription.newsletter.language)


def speak(
    request: HttpRequest,
    *,
    newsletter: Newsletter | None = None,
    subscription: Subscription | None = None,
) -> None:
    """Answer this request in the reader's language.

    What the page's address says comes first (the switch in the footer), then what the reader of a
    signed link chose, then what was chosen in this browser, then what the browser asks for, and
    last the newsletter's own. Called again by a view once it knows the reader or the newsletter.
    """
    if subscription is not None:
        newsletter = newsletter or subscription.newsletter
    language = first_of(
        request.GET.get(PARAMETER, ""),
        subscription.subscriber.language if subscription else "",
        request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""),
        *_accepted(request),
        newsletter.language if newsletter else "",
    )
    translation.activate(language)


class LanguageMiddleware:
    """Speak the reader's language for the length of one request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(_STAFF):
            with translation.override(settings.LANGUAGE_CODE):
                return self.get_response(request)
        # Whatever a view activates ends with the request: the thread answers others after it.
        with translation.override(None):
            speak(request)
            response = self.get_response(request)
        # What may be kept for everybody is the same for everybody, in one language.
        if "public" not in response.get("Cache-Control", ""):
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        _remember(request, response)
        return response


def _accepted(request: HttpRequest) -> Iterator[str]:
    """The languages of the Accept-Language header, the dearest first; `*` is no wish."""
    for tag, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        if tag == "*":
            return
        yield tag


def _remember(request: HttpRequest, response: HttpResponse) -> None:
    """Keep what was chosen with the switch for the pages after this one."""
    chosen = ours(request.GET.get(PARAMETER, ""))
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
