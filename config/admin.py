"""Register the staff's accounts and groups with the admin's theme."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from config.login import second_factor

admin.site.unregister(User)
admin.site.unregister(Group)
# The library's pages show secrets and codes to whoever may view them.
admin.site.unregister(TOTPDevice)
admin.site.unregister(StaticDevice)

# What an account may do. Only superusers give rights, because a right to give rights is all rights.
RIGHTS = ("is_superuser", "groups", "user_permissions")


def _may_touch(request: HttpRequest, account: User | None) -> bool:
    """Whether the user may change this account: who sets a superuser's password becomes one."""
    return account is None or not account.is_superuser or request.user.is_superuser


class PermissionChoices(ModelAdmin):
    """Offer the permissions that something in Daybreak asks for, and those that are given."""

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.related_model is not Permission:
            return super().formfield_for_manytomany(db_field, request, **kwargs)
        match = request.resolver_match
        changed = match.kwargs.get("object_id") if match else None
        given = Permission.objects.filter(**{self.opts.model_name: changed}) if changed else []
        of_ours = Q(content_type__app_label__in=["digest", "subscribers"])
        of_accounts = Q(content_type__app_label="auth", content_type__model__in=["user", "group"])
        kwargs["queryset"] = Permission.objects.filter(of_ours | of_accounts | Q(pk__in=given))
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        field.label_from_instance = lambda permission: permission.name
        return field


@admin.register(User)
class UserAdmin(PermissionChoices, DjangoUserAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = [
        "username",
        "email",
        "get_full_name",
        "is_active",
        "is_staff",
        "has_app",
        "last_login",
    ]
    list_filter_submit = False
    readonly_fields = ["last_login", "date_joined"]
    change_form_outer_before_template = "admin/auth/user/second_factor.html"
    # The form asks for an address: tests of an edition and notices of a held one are sent to it.
    add_fieldsets = (
        (
            None,
            {"fields": ("username", "email", "usable_password", "password1", "password2")},
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        # Otherwise whoever may change accounts could give their own every right.
        return [*self.readonly_fields, *(() if request.user.is_superuser else RIGHTS)]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return _may_touch(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return _may_touch(request, obj) and super().has_delete_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        apps = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        return super().get_queryset(request).annotate(app_exists=Exists(apps))

    @display(description="Authenticator app", boolean=True)
    def has_app(self, user: Any) -> bool:
        return bool(user.app_exists)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        user = self.get_object(request, object_id) if object_id else None
        if user:
            extra_context = {
                "account": user,
                "app": second_factor.app_of(user),
                "codes_left": second_factor.recovery_codes_left(user),
                "may_reset": request.user.is_superuser,
                **(extra_context or {}),
            }
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.reset_second_factor)
        name = "auth_user_reset_second_factor"
        return [path("<int:pk>/second-factor/", view, name=name), *super().get_urls()]

    def reset_second_factor(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Remove a colleague's authenticator app and recovery codes (POST)."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not request.user.is_superuser:
            raise PermissionDenied
        user = get_object_or_404(User, pk=pk)
        if second_factor.remove(user):
            self.log_change(request, user, "Removed the authenticator app.")
        messages.success(request, f"{user} sets up a new app at the next log-in.")
        return HttpResponseRedirect(reverse("admin:auth_user_change", args=[pk]))


@admin.register(Group)
class GroupAdmin(PermissionChoices, DjangoGroupAdmin):  # type: ignore[misc]
    list_display = ["name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        return [] if request.user.is_superuser else ["permissions"]
