"""Keep the editions that this process is sending ready for splicing."""

from __future__ import annotations

from functools import lru_cache

from digest.models import Frozen
from digest.rendering.personalise import CompiledPage, compile_page

# How many editions one worker process sends at a time; each takes a few megabytes at most.
_MAX_EDITIONS = 4


def compiled_page(*, edition_id: int, revision: int) -> CompiledPage:
    """Return the edition's compiled page; one that is compiled already costs one small query.

    Raises:
        Frozen.DoesNotExist: this revision was never frozen.
    """
    frozen = Frozen.objects.filter(edition=edition_id, revision=revision)
    # A revision that was not sent yet may be frozen again with changed text.
    content_hash = frozen.values_list("content_hash", flat=True).get()
    return _compiled_page(edition_id, revision, content_hash)


@lru_cache(maxsize=_MAX_EDITIONS)
def _compiled_page(edition_id: int, revision: int, content_hash: str) -> CompiledPage:
    return compile_page(
        Frozen.objects.get(edition=edition_id, revision=revision, content_hash=content_hash)
    )
