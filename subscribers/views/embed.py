"""Answer a sign-up form in somebody else's page, without setting or reading a cookie."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.timezone import now
from django.utils.translation import gettext
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import condition, require_http_methods, require_safe

from subscribers.addresses.address import BadAddress
from subscribers.consent.record import Origin
from subscribers.embed.form import embedded_form
from subscribers.embed.snippet import EmbedOptions
from subscribers.i18n import languages
from subscribers.models import Newsletter
from subscribers.plumbing.content_security import EMBEDDED_PAGE, with_policy
from subscribers.signup import abuse, flow
from subscribers.signup.abuse import ChallengeNeeded, SentTooQuickly
from subscribers.views.origin import origin_of
from subscribers.views.posted_form import attempt_of, email_of, mended, press_once_more, read_as
from subscribers.views.signup import submit_form, submitted

# The form is the same for everybody, so a CDN may answer for us.
FORM_CACHE_CONTROL = "public, max-age=300, stale-while-revalidate=3600"
SCRIPT_CACHE_CONTROL = "public, max-age=3600, stale-while-revalidate=86400"
STATUS = {
    "sent": HTTPStatus.OK,
    "address": HTTPStatus.UNPROCESSABLE_ENTITY,
    "challenge": HTTPStatus.PRECONDITION_REQUIRED,
}


# --- The script ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Script:
    plain: bytes
    zipped: bytes
    etag: str


@lru_cache(maxsize=4)
def _read(path: Path, modified: int) -> _Script:
    plain = path.read_bytes()
    # A weak ETag, because it is the same for the script with and without gzip.
    etag = f'W/"{hashlib.sha256(plain).hexdigest()[:16]}"'
    return _Script(plain, gzip.compress(plain, mtime=0), etag)


def _script(name: str) -> _Script:
    path = Path(settings.BASE_DIR) / "static" / name
    return _read(path, path.stat().st_mtime_ns)


@require_safe
@condition(etag_func=lambda request, name: _script(name).etag)
def script(request: HttpRequest, name: str) -> HttpResponse:
    """Serve a script under a lasting name: nobody will change the pages that name it.

    The script is served from here and not from static/: a page of another origin can import the
    solver only if the response allows it (CORS), and a web server in front of us may not send that
    header with static files.
    """
    is_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    found = _script(name)
    body = found.zipped if is_gzip else found.plain
    response = HttpResponse(body, content_type="text/javascript; charset=utf-8")
    if is_gzip:
        response["Content-Encoding"] = "gzip"
    response["Vary"] = "Accept-Encoding"
    response["Cache-Control"] = "no-cache" if settings.DEBUG else SCRIPT_CACHE_CONTROL
    return _allow_any_origin(response)


# --- The form -----------------------------------------------------------------------------------


@require_safe
def form(request: HttpRequest, slug: str) -> HttpResponse:
    """Return the form's texts and colours, in the language of the page or of the newsletter."""
    newsletter = get_object_or_404(Newsletter, slug=slug)
    answer = embedded_form(
        newsletter,
        language=languages.first_supported(request.GET.get("lang", ""), newsletter.language),
        accent=request.GET.get("accent", ""),
        background=request.GET.get("background", ""),
    )
    answer["page"] = newsletter.get_absolute_url()
    response = JsonResponse(answer, json_dumps_params={"ensure_ascii": False})
    response["Cache-Control"] = FORM_CACHE_CONTROL
    return _allow_any_origin(response)


@require_safe
def form_token(request: HttpRequest, slug: str) -> HttpResponse:
    """Return what a form needs once somebody begins to type: a form token, maybe a challenge.

    The form token proves when that was. A reader who types quickly must not be taken for a program,
    so the script waits before it sends the form, half a second longer than it has to.
    """
    challenge = abuse.new_challenge(now()) if abuse.challenge_needed(now()) else None
    answer = {
        "opened": abuse.new_form_token(now()),
        "wait": round(abuse.form_token.MIN_SECONDS * 1000) + 500,
        "challenge": challenge,
    }
    response = JsonResponse(answer)
    response["Cache-Control"] = "no-store"
    return _allow_any_origin(response)


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest, slug: str) -> HttpResponse:
    """Sign up from the script, which is answered in JSON, or from a plain form in any page.

    There is no CSRF token: a forger finds no session to use, and a form in somebody else's page
    could not have a token. The script sends the fields form-encoded, so that no browser asks for
    permission first (no preflight).
    """
    newsletter = get_object_or_404(Newsletter, slug=slug)
    if request.method != "POST":
        return redirect(newsletter)
    translation.activate(
        languages.first_supported(request.POST.get("lang", ""), newsletter.language)
    )
    if "application/json" in request.headers.get("Accept", ""):
        answer = _sign_up(request, newsletter)
        response = JsonResponse(answer, status=STATUS[answer["state"]])
        response["Cache-Control"] = "no-store"
        return _allow_any_origin(response)
    done = f"{reverse('signup-done', args=[slug])}?lang={translation.get_language()}"
    problem = submit_form(request, newsletter, origin=_origin(request))
    return problem or submitted(request, newsletter) or redirect(done)


@csrf_exempt
@xframe_options_exempt
@with_policy(EMBEDDED_PAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def frame(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form as a page of its own, for an iframe; the script draws it if scripts run."""
    newsletter = get_object_or_404(Newsletter, slug=slug)
    language = languages.first_supported(request.GET.get("lang", ""), newsletter.language)
    translation.activate(language)
    context: dict[str, Any] = {
        "newsletter": newsletter,
        "form": embedded_form(newsletter, language=language),
        "options": EmbedOptions.from_query(request.GET, newsletter=newsletter),
        "form_token": abuse.new_form_token(now()),
        "page": _without_query(_split(request.headers.get("Referer", ""))),
    }
    status = HTTPStatus.OK
    if request.method == "POST":
        answer = _sign_up(request, newsletter)
        context |= {
            # The form token stays the same: with a new one, a quick correction would come too
            # early.
            "form_token": answer.get("opened", request.POST.get("opened", "")),
            "page": request.POST.get("page", ""),
            "answer": answer,
            "email": email_of(request),
        }
        status = STATUS[answer["state"]]
    response = render(request, "embed/frame.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _sign_up(request: HttpRequest, newsletter: Newsletter) -> dict[str, Any]:
    """Sign up, and return the result as static/embed.js understands it."""
    email = email_of(request)
    try:
        flow.sign_up(
            newsletter=newsletter,
            email=email,
            attempt=attempt_of(request),
            origin=_origin(request),
            now=now(),
        )
    except BadAddress as error:
        return {
            "state": "address",
            "message": gettext(str(error)),
            "use": _choice(gettext("Use %(email)s"), error.suggestion),
            "keep": _choice(gettext("Keep %(email)s"), email if error.may_insist else ""),
        }
    except ChallengeNeeded as needed:
        return {"state": "challenge", "challenge": needed.challenge}
    except SentTooQuickly as again:
        # The script waits, so this is a reader without it.
        return {"state": "address", "message": press_once_more(), "opened": again.form_token}
    address = mended(email)
    return {"state": "sent"} | ({"message": read_as(address)} if address else {})


def _choice(label: str, email: str) -> dict[str, str] | None:
    return {"email": email, "label": label % {"email": email}} if email else None


# --- Origin -------------------------------------------------------------------------------------


def _origin(request: HttpRequest) -> Origin:
    """Return the page that contains the form, as far as the browser vouches for it.

    The browser's own Origin header decides about the host; the script (or the Referer) adds the
    path. The query is left out, because it may hold private data.
    """
    referer = request.headers.get("Referer", "")
    claimed = _split(request.POST.get("page", "") or referer)
    sender = _split(request.headers.get("Origin", ""))
    # Our own iframe sends the form. The page around it is not ours.
    is_iframe = sender.netloc == request.get_host()
    if sender.netloc and not is_iframe and claimed.netloc != sender.netloc:
        claimed = sender._replace(path="/")
    return replace(origin_of(request), page=_without_query(claimed))


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def _without_query(url: SplitResult) -> str:
    if url.scheme not in ("http", "https") or not url.hostname:
        return ""
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}{url.path}"


def _allow_any_origin(response: HttpResponse) -> HttpResponse:
    """Let any page read the response, and a page that isolates itself (COEP) load it."""
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
