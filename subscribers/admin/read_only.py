"""Provide admin classes for records that are searched and read, but never changed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline


class _ReadOnlyMixin:
    """Let users view; let nobody add, change or delete, whatever their permissions."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(_ReadOnlyMixin, ModelAdmin):
    """An admin page of its own for such records."""

    actions: list[str] | None = None
    list_per_page = 50


class ReadOnlyInline(_ReadOnlyMixin, TabularInline):
    """Such records below the row that they belong to."""

    extra = 0
    max_num = 0
    can_delete = False
    hide_title = True
