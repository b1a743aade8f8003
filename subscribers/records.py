"""Admin classes for records of fact: to be searched and read, never changed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline


class _ReadOnly:
    """Who may view may look; nobody adds, changes or deletes, whatever their permissions."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RecordAdmin(_ReadOnly, ModelAdmin):
    """A surface of its own for a record of fact."""

    actions: list[str] | None = None
    list_per_page = 50


class RecordInline(_ReadOnly, TabularInline):
    """Records of fact beneath the row they belong to."""

    extra = 0
    max_num = 0
    can_delete = False
    hide_title = True
