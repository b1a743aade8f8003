"""Keep uploaded lists while an import needs them."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from django.core.files import File
from django.core.files.storage import Storage
from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from subscribers.models import ImportJob
from subscribers.plumbing.uploads import why_not_stored

logger = logging.getLogger(__name__)

FOLDER = "imports"


class CannotStore(Exception):
    """A list cannot be stored; the message is a sentence for the person who uploads it."""


def store(name: str, file: File[Any]) -> str:
    """Store a list, and return the name under which it is stored.

    Raises:
        CannotStore: the disk is full, or cannot be written. Nothing of the list is kept.
    """
    try:
        return _storage().save(name, file)
    except OSError as error:
        # What could be written of it is there.
        with suppress(OSError):
            discard(name)
        raise CannotStore(why_not_stored(error)) from error


def discard(name: str) -> None:
    """Delete a list and its folder, which holds nothing else."""
    storage = _storage()
    storage.delete(name)
    with suppress(OSError):
        storage.delete(name.rpartition("/")[0])


def purge_orphans(*, before: datetime, limit: int) -> int:
    """Delete lists from before that time that belong to no import; return how many.

    A crash after a file was stored, and before its import was, leaves such a list behind. A folder
    that cannot be deleted does not count, and the log names it.
    """
    known = {name.split("/")[1] for name in _known()}
    deleted = 0
    for folder in _folders():
        if folder in known or deleted == limit:
            continue
        path = f"{FOLDER}/{folder}"
        _, files = _storage().listdir(path)
        names = [f"{path}/{file}" for file in files]
        if all(_storage().get_modified_time(name) < before for name in names or [path]):
            for name in names or [f"{path}/nothing"]:
                with suppress(OSError):
                    discard(name)
            if _storage().exists(path):
                logger.warning("%s belongs to no import and cannot be deleted", path)
            else:
                deleted += 1
    return deleted


@receiver(post_delete, sender=ImportJob, dispatch_uid="discard the list of a deleted import")
def discard_with_job(*, instance: ImportJob, **_: Any) -> None:
    """Delete the list too, also if a newsletter is deleted with its imports.

    Nothing is deleted if the transaction is rolled back.
    """
    if instance.file:
        transaction.on_commit(partial(discard, str(instance.file.name)))


def _known() -> list[str]:
    return list(ImportJob.objects.exclude(file="").values_list("file", flat=True))


def _folders() -> list[str]:
    try:
        folders, _ = _storage().listdir(FOLDER)
    except FileNotFoundError:
        return []
    return folders


def _storage() -> Storage:
    storage: Storage = ImportJob._meta.get_field("file").storage
    return storage
