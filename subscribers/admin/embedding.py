"""The page that builds the snippet for another web site, with a live preview."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.validators import RegexValidator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language_info
from django.views.decorators.clickjacking import xframe_options_sameorigin
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from subscribers.embed import snippet
from subscribers.embed.snippet import EmbedOptions, PopupTrigger
from subscribers.models import Newsletter
from subscribers.plumbing.content_security import SNIPPET_FRAME, with_policy

KINDS = [
    ("inline", "A form in the page"),
    ("popup", "A dialog that opens by itself"),
    ("frame", "An iframe, where scripts are not allowed"),
    ("plain", "A plain form, without any script"),
]
THEMES = [
    ("", "As the page declares, or else light"),
    ("auto", "By the reader's device"),
    ("light", "Light"),
    ("dark", "Dark"),
]
FONTS = [("", "Ours, without serifs"), ("serif", "Ours, with serifs"), ("page", "The page's own")]
validate_colour = RegexValidator(r"^#[0-9a-fA-F]{6}$", "Write the colour like #0b57d0.")


def _choice(label: str, choices: list[tuple[str, str]], **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=choices, required=False, widget=UnfoldAdminSelectWidget, **options
    )


def _text(label: str, *, placeholder: str = "", **options: Any) -> forms.CharField:
    widget = UnfoldAdminTextInputWidget({"placeholder": placeholder})
    return forms.CharField(label=label, required=False, widget=widget, **options)


def _number(label: str, *, largest: int, **options: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=0,
        max_value=largest,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        **options,
    )


class EmbedForm(forms.Form):
    """What the site's owner may choose; an option left empty is left out of the snippet."""

    TRIGGER_FIELDS = ("after_scroll", "after_seconds")
    TEXT_FIELDS = ("lang", "title", "text", "button")
    STYLE_FIELDS = ("theme", "accent", "background", "font", "radius")

    kind = _choice("What to embed", KINDS)
    after_scroll = _number(
        "Opens after scrolling this much of the page, in per cent", largest=100, initial=50
    )
    after_seconds = _number(
        "Opens after this many seconds",
        largest=3600,
        initial=30,
        help_text="It opens when the first of the two is reached. Once closed, it stays away for "
        "30 days; after a sign-up, permanently.",
    )
    lang = _choice(
        "Language",
        [],
        help_text="A script reads it from the page; an iframe and a plain form cannot.",
    )
    title = _text("Title", max_length=120)
    text = _text("Promise", max_length=300)
    button = _text("Button", max_length=40)
    theme = _choice(
        "Light or dark",
        THEMES,
        help_text="A page declares it by color-scheme. An iframe cannot read that, and is light.",
    )
    accent = _text("Accent", validators=[validate_colour])
    background = _text("Background", placeholder="#ffffff", validators=[validate_colour])
    font = _choice("Typeface", FONTS)
    radius = _number("Rounding of corners, in pixels", largest=32)

    def __init__(self, *args: Any, newsletter: Newsletter, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [(code, get_language_info(code)["name"]) for code, _ in settings.LANGUAGES]
        language: Any = self.fields["lang"]
        language.choices = [("", "The page's, or else the newsletter's"), *names]
        self.fields["accent"].widget.attrs["placeholder"] = newsletter.accent_color
        self.fields["text"].widget.attrs["placeholder"] = newsletter.promise

    def parts(self) -> list[tuple[str, str, list[forms.BoundField]]]:
        """Return the groups of fields, each with its name and title."""
        return [
            ("kind", "", [self["kind"]]),
            ("trigger", "When it opens", [self[name] for name in self.TRIGGER_FIELDS]),
            ("words", "Text", [self[name] for name in self.TEXT_FIELDS]),
            ("looks", "Appearance", [self[name] for name in self.STYLE_FIELDS]),
        ]

    def problems(self) -> list[str]:
        """Return the errors as sentences that name the field."""
        return [
            f"{self.fields[name].label}: {error}"
            for name, errors in self.errors.items()
            for error in errors
        ]

    def kind_chosen(self) -> str:
        return str(self.cleaned_data.get("kind") or "inline")

    def options(self) -> EmbedOptions:
        given = self.cleaned_data
        values = {name: given.get(name) for name in (*self.TEXT_FIELDS, *self.STYLE_FIELDS)}
        return EmbedOptions(
            **{n: "" if value is None else str(value) for n, value in values.items()}
        )

    def trigger(self) -> PopupTrigger:
        return PopupTrigger(**{name: self.cleaned_data.get(name) for name in self.TRIGGER_FIELDS})


class EmbedPages(ModelAdmin):
    """A newsletter's admin with the page that builds its snippets."""

    actions_detail = ["embed"]
    actions_row = ["embed"]

    @action(description="Embed the form", url_path="embed", icon="code", permissions=["view"])
    def embed(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(
            reverse("admin:subscribers_newsletter_snippet", args=[object_id])
        )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path(
                "<int:pk>/snippet/",
                view(self.snippet_page),
                name="subscribers_newsletter_snippet",
            ),
            path(
                "<int:pk>/snippet/preview/",
                view(self.snippet_preview),
                name="subscribers_newsletter_snippet_preview",
            ),
        ]
        found: list[URLPattern] = super().get_urls()
        return own + found

    def snippet_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        newsletter = self._newsletter(request, pk)
        form = self._form(request, newsletter)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "original": newsletter,
            "title": f"Embed {newsletter}",
            "form": form,
            "code": _code(newsletter, form),
            "kind": form.kind_chosen(),
            "host": settings.SITE_URL,
            "query": request.GET.urlencode(),
            "phone": "phone" in request.GET,
            "dark": "dark" in request.GET,
        }
        return TemplateResponse(request, "admin/subscribers/newsletter/snippet.html", context)

    @xframe_options_sameorigin
    @with_policy(SNIPPET_FRAME)
    def snippet_preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show a sample page with the form in it; nothing typed there is sent."""
        newsletter = self._newsletter(request, pk)
        form = self._form(request, newsletter)
        options, kind = form.options(), form.kind_chosen()
        if options.theme not in ("light", "dark"):
            # The sample page stands for the page and for the device.
            follows = bool(options.theme) or kind != "frame"
            scheme = "dark" if follows and "dark" in request.GET else "light"
            options = replace(options, theme=scheme)
        if kind == "frame":
            code: str = snippet.frame(newsletter, options=options, preview=True)
        elif kind == "plain":
            code = snippet.plain_form(newsletter, options=options)
        else:
            code = snippet.script(newsletter, options=options, popup=kind == "popup", preview=True)
        context = {"code": code, "kind": kind, "dark": "dark" in request.GET}
        return TemplateResponse(request, "admin/subscribers/newsletter/preview.html", context)

    def _newsletter(self, request: HttpRequest, pk: int) -> Newsletter:
        if not self.has_view_permission(request):
            raise PermissionDenied
        newsletter = Newsletter.objects.filter(pk=pk).first()
        if newsletter is None:
            raise Http404("There is no such newsletter.")
        return newsletter

    def _form(self, request: HttpRequest, newsletter: Newsletter) -> EmbedForm:
        """Return the validated form of this query or, on the first visit, of the initial values."""
        first = {name: field.initial for name, field in EmbedForm.base_fields.items()}
        form = EmbedForm(request.GET or first, newsletter=newsletter)
        form.is_valid()
        return form


def _code(newsletter: Newsletter, form: EmbedForm) -> str:
    options = form.options()
    match form.kind_chosen():
        case "frame":
            return snippet.frame(newsletter, options=options)
        case "plain":
            return snippet.plain_form(newsletter, options=options)
        case "popup":
            return snippet.script(newsletter, options=options, popup=True, trigger=form.trigger())
        case _:
            return snippet.script(newsletter, options=options)
