"""What the labels of the admin say, and their colours, by the value that a label stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from django.db.models import TextChoices

_Choice = TypeVar("_Choice", bound=TextChoices)


class Health(TextChoices):
    """How well a feed or a webhook works."""

    WELL = "well", "well"
    NEW = "new", "new"
    TROUBLE = "trouble", "in trouble"
    OFF = "off", "off"


HEALTH_COLOURS = {
    Health.WELL: "success",
    Health.NEW: "info",
    Health.TROUBLE: "danger",
    Health.OFF: "default",
}


def health(*, is_active: bool, is_failing: bool, has_worked: bool) -> Health:
    """Return the health of what fetches or sends by itself; NEW has done neither yet."""
    if not is_active:
        return Health.OFF
    if is_failing:
        return Health.TROUBLE
    return Health.WELL if has_worked else Health.NEW


def by_label(colours: Mapping[_Choice, str]) -> dict[str, str]:
    """Return the colours by what a list shows, as unfold's `display(label=…)` takes them."""
    return {str(value.label): colour for value, colour in colours.items()}
