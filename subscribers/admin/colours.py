"""The colours of labels in the admin, by the value that a label stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from django.db.models import TextChoices

_Choice = TypeVar("_Choice", bound=TextChoices)

# How well a feed or a webhook works.
HEALTH = {"well": "success", "new": "info", "in trouble": "danger", "off": "default"}


def by_label(colours: Mapping[_Choice, str]) -> dict[str, str]:
    """Return the colours by what a list shows, as unfold's `display(label=…)` takes them."""
    return {str(value.label): colour for value, colour in colours.items()}
