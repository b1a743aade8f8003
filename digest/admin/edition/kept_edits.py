"""Keep what an editor typed if the session has ended when it is saved.

The page's form carries a signed note of whose it is. With that note the text of a request without a
session is kept for its editor alone, and shown to them after they have logged in again. Nobody else
can put anything there, because only the editor's own page has the note.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.core import signing
from django.core.cache import cache
from django.http import QueryDict

from digest.models import Edition

# The name of the form's field.
OWNER = "owner"
# Seconds for which a text is kept.
KEPT_FOR = 3600
# What the log-in page says then.
IS_KEPT = "What you typed is kept for an hour, and will be there after you log in."
# An edition's form with fifty long summaries is a fifth of this.
MAX_LENGTH = 1_000_000
# A page that was open for longer than a session may last is nobody's.
_NOTE_LASTS = 30 * 86_400
_SALT = "digest.admin.edition.owner"


class Owner(NamedTuple):
    """Whose page it is, of which edition, and when it was shown (seconds since 1970)."""

    user_id: int
    edition_id: int
    shown_at: float


def owner_note(owner: Owner) -> str:
    """Return the signed note for a page that is shown now."""
    return signing.dumps(list(owner), salt=_SALT)


def owner_of(data: Any) -> Owner | None:
    """Return whose page a form's data came from; None if they do not say or it is forged."""
    try:
        return Owner(*signing.loads(data.get(OWNER, ""), salt=_SALT, max_age=_NOTE_LASTS))
    except (signing.BadSignature, TypeError, ValueError):
        return None


def keep(data: QueryDict, *, edition_id: str) -> bool:
    """Keep the data for the editor whose page they came from; return whether they are kept."""
    owner = owner_of(data)
    if owner is None or str(owner.edition_id) != edition_id:
        return False
    text = data.urlencode()
    if len(text) > MAX_LENGTH:
        return False
    cache.set(_key(owner.user_id, owner.edition_id), text, KEPT_FOR)
    return True


def find(*, user_id: int, edition: Edition) -> QueryDict | None:
    """Return what the user typed and could not save."""
    text = cache.get(_key(user_id, edition.pk))
    return QueryDict(text, mutable=True) if text else None


def drop(*, user_id: int, edition: Edition) -> None:
    """Forget it: something was saved since."""
    cache.delete(_key(user_id, edition.pk))


def _key(user_id: int, edition_id: int) -> str:
    return f"kept-edit:{user_id}:{edition_id}"
