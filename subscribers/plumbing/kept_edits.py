"""Keep what an editor typed if the session has ended when it is saved.

A form with long texts carries a signed note of whose page it is. With that note the text of a
request without a session is kept for its editor alone, and shown to them on that page after they
have logged in again. Nobody else can put anything there, because only the editor's own page has the
note.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NamedTuple

from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest, QueryDict
from django.utils.html import format_html
from django.utils.timezone import now

# The name of the form's field.
OWNER = "owner"
# Seconds for which a text is kept.
KEPT_FOR = 3600
# What the log-in page says then.
IS_KEPT = "What you typed is kept for an hour, and will be there after you log in."
# As a browser sends it. The longest paste is less in every script, and an edition's form with fifty
# long summaries is a tenth of this.
MAX_LENGTH = 2_000_000
# A page that was open for longer than a session may last is nobody's.
_NOTE_LASTS = 30 * 86_400
_SALT = "admin.owner"


class Owner(NamedTuple):
    """Whose page it is, its URL's path, and when it was shown (seconds since 1970)."""

    user_id: int
    path: str
    shown_at: float


def owner_note(owner: Owner) -> str:
    """Return the signed note that a page's form carries."""
    return signing.dumps(list(owner), salt=_SALT)


def owner_field(request: HttpRequest) -> str:
    """Return the hidden field with the note, for a form of the page that is shown now."""
    user_id: Any = request.user.pk
    note = owner_note(Owner(user_id, request.path, now().timestamp()))
    return format_html('<input type="hidden" name="{}" value="{}">', OWNER, note)


def owner_of(data: Any) -> Owner | None:
    """Return whose page a form's data came from; None if they do not say or it is forged."""
    try:
        return Owner(*signing.loads(data.get(OWNER, ""), salt=_SALT, max_age=_NOTE_LASTS))
    except (signing.BadSignature, TypeError, ValueError):
        return None


def context(request: HttpRequest) -> dict[str, Any]:
    """Return what templates/admin/kept.html needs in the form of this page."""
    return {"owner_field": owner_field(request), "restored": find(request) is not None}


def keep(request: HttpRequest) -> bool:
    """Keep what was posted for the editor whose page it came from; return whether it is kept."""
    owner = owner_of(request.POST)
    if owner is None or owner.path != request.path:
        return False
    text = request.POST.urlencode()
    if len(text) > MAX_LENGTH:
        return False
    cache.set(_key(owner.user_id, owner.path), text, KEPT_FOR)
    return True


def find(request: HttpRequest) -> QueryDict | None:
    """Return what the user typed on this page and could not save; None if they post it now."""
    if request.method != "GET" or "saved" in request.GET:
        return None
    text = cache.get(_key(request.user.pk, request.path))
    return QueryDict(text, mutable=True) if text else None


def drop(request: HttpRequest) -> None:
    """Forget it: something was saved since."""
    cache.delete(_key(request.user.pk, request.path))


def _key(user_id: Any, path: str) -> str:
    return f"kept-edit:{user_id}:{sha256(path.encode()).hexdigest()}"
