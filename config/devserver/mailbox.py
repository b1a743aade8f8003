"""Show the mails of the local mailbox to a developer; without DEBUG its pages do not exist."""

from __future__ import annotations

import mailbox
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import wraps
from pathlib import Path

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from config.devserver import local
from subscribers.plumbing.content_security import MAIL_FRAME, MAILBOX_PAGE, with_policy

PAGE_SIZE = 50
# A name begins with seconds (maildir(5)); Python's mailbox then adds M and the microseconds.
_NAME = re.compile(r"(?P<seconds>\d+)\.(?:M(?P<micros>\d+))?")
_HEAD = re.compile(rb"<head\b[^<>]*>", re.IGNORECASE)

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Mail:
    """One delivered message."""

    key: str
    raw: bytes
    received_at: datetime

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(parsed, EmailMessage)  # noqa: S101 (the policy's own class)
        return parsed

    def header(self, name: str) -> str:
        return str(self.message.get(name, ""))

    @property
    def subject(self) -> str:
        return self.header("Subject") or "(no subject)"

    @property
    def sender(self) -> str:
        return self.header("From")

    @property
    def recipient(self) -> str:
        """The address it was delivered to; a blind copy has it in X-RcptTo and not in To."""
        return self.header("To") or self.header("X-RcptTo")

    @property
    def one_click_url(self) -> str:
        """The URL at which one POST unsubscribes (RFC 8058); empty if the mail has none."""
        if self.header("List-Unsubscribe-Post").strip() != "List-Unsubscribe=One-Click":
            return ""
        found = re.search(r"<(https?://[^>\s]+)>", self.header("List-Unsubscribe"))
        return found[1] if found else ""

    def part(self, kind: str) -> str:
        """Return the text of the part of this kind, `plain` or `html`; empty if there is none."""
        body = self.message.get_body((kind,))
        if not isinstance(body, EmailMessage):
            return ""
        try:
            return str(body.get_content())
        except LookupError:  # an unknown charset
            return bytes(body.get_payload(decode=True) or b"").decode("utf-8", "replace")


# --- Reading the Maildir --------------------------------------------------------------------------


def _files() -> list[Path]:
    """Return the files by the times in their names, newest first.

    None is opened, because the mailbox may hold the mails of a load test.
    """
    found = [
        file
        for folder in ("new", "cur")
        if (local.MAILBOX / folder).is_dir()
        for file in (local.MAILBOX / folder).iterdir()
    ]
    return sorted(found, key=lambda file: _received_at(file.name), reverse=True)


def _received_at(name: str) -> datetime:
    found = _NAME.match(name)
    if found is None:
        return datetime.fromtimestamp(0, UTC)
    return datetime.fromtimestamp(int(found["seconds"]), UTC).replace(
        microsecond=int(found["micros"] or 0) % 1_000_000
    )


def _read(file: Path) -> Mail:
    return Mail(key=file.name, raw=file.read_bytes(), received_at=_received_at(file.name))


def _find(key: str) -> Mail:
    for folder in ("new", "cur"):
        file = local.MAILBOX / folder / key
        if not key.startswith(".") and file.is_file():
            return _read(file)
    raise Http404("There is no such mail.")


# --- Pages ----------------------------------------------------------------------------------------


def _in_debug_only(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponseBase:
        if not settings.DEBUG:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@_in_debug_only
@require_safe
def mail_list(request: HttpRequest) -> HttpResponse:
    """List the mails, the newest first."""
    page = Paginator(_files(), PAGE_SIZE).get_page(request.GET.get("page"))
    mails = [_read(file) for file in page.object_list]
    return render(request, "mailbox/list.html", {"page": page, "mails": mails})


@_in_debug_only
@require_safe
@with_policy(MAILBOX_PAGE)
def mail_page(request: HttpRequest, key: str) -> HttpResponse:
    mail = _find(key)
    context = {
        "mail": mail,
        "text": mail.part("plain"),
        "has_html": bool(mail.part("html")),
        "headers": mail.message.items(),
    }
    return render(request, "mailbox/mail.html", context)


@_in_debug_only
@require_safe
@xframe_options_sameorigin
@with_policy(MAIL_FRAME)
def mail_html(request: HttpRequest, key: str) -> HttpResponse:
    """Show the HTML part as it was sent, except that links open in a new tab."""
    html = _find(key).part("html").encode()
    base = b'<base target="_blank">'
    head = _HEAD.search(html)
    html = html[: head.end()] + base + html[head.end() :] if head else base + html
    return HttpResponse(html)


@_in_debug_only
@require_safe
def mail_source(request: HttpRequest, key: str) -> HttpResponse:
    """Show the message as it was received."""
    return HttpResponse(_find(key).raw, content_type="text/plain; charset=utf-8")


@_in_debug_only
@require_POST
def delete_all(request: HttpRequest) -> HttpResponse:
    if local.MAILBOX.is_dir():
        mailbox.Maildir(local.MAILBOX).clear()
    return redirect("mailbox")


urlpatterns = [
    path("", mail_list, name="mailbox"),
    path("delete/", delete_all, name="mailbox-delete"),
    path("<str:key>/", mail_page, name="mail"),
    path("<str:key>/html", mail_html, name="mail-html"),
    path("<str:key>/source", mail_source, name="mail-source"),
]
