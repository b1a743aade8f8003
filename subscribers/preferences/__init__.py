"""What readers choose once they are subscribed, up to leaving and coming back."""

from subscribers.preferences.choices import (
    LONGEST_PAUSE,
    BadPause,
    Choices,
    NotOffered,
    choose,
    pause,
    set_muted_sections,
    set_person,
)
from subscribers.preferences.leaving import come_back, tell_why, unsubscribe

__all__ = [
    "LONGEST_PAUSE",
    "BadPause",
    "Choices",
    "NotOffered",
    "choose",
    "come_back",
    "pause",
    "set_muted_sections",
    "set_person",
    "tell_why",
    "unsubscribe",
]
