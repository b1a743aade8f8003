"""Answer a form whose token is no longer valid, and lose no long text.

Every log-in makes the tokens of forms that are open in other tabs invalid. So an editor who logs in
again in a second tab and then saves in the first one comes here.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.views.csrf import csrf_failure

from config.forbidden import admin_page, is_in_admin
from subscribers.plumbing import kept_edits

STALE = (
    "You have logged in again since you opened the page, for instance in another tab, so nothing "
    "was saved. Go back, copy what you typed, and reload the page."
)


def answer(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Lead back to the page, which has what was typed, if that is kept; refuse everything else.

    Nothing is saved here. Only the editor's own page has the note that a kept text needs, so no
    other site can put a text there.
    """
    match = request.resolver_match
    if match and match.app_name == "admin" and kept_edits.keep(request):
        if not request.user.is_authenticated:
            messages.info(request, kept_edits.IS_KEPT)
        return HttpResponseRedirect(request.get_full_path())
    if is_in_admin(request) and reason != REASON_NO_CSRF_COOKIE:
        return admin_page(request, title="Nothing was saved", why=STALE)
    response: HttpResponseBase = csrf_failure(request, reason)
    return response
