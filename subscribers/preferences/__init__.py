"""What readers choose once they are subscribed, up to leaving and coming back."""

from subscribers.preferences.choices import (
    BadPause,
    Choices,
    choose,
    pause,
    set_muted_sections,
    set_person,
)
from subscribers.preferences.leaving import say_why, unsubscribe

__all__ = [
    "BadPause",
    "Choices",
    "choose",
    "pause",
    "say_why",
    "set_muted_sections",
    "set_person",
    "unsubscribe",
]
