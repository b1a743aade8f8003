"""What readers choose once they are subscribed, up to leaving and coming back."""

from subscribers.preferences.choices import (
    LONGEST_PAUSE,
    BadPause,
    Choices,
    FrequencyNotOffered,
    pause,
    set_choices,
    set_locale,
    set_muted_sections,
)
from subscribers.preferences.leaving import resubscribe, set_end_reason, unsubscribe

__all__ = [
    "LONGEST_PAUSE",
    "BadPause",
    "Choices",
    "FrequencyNotOffered",
    "pause",
    "resubscribe",
    "set_choices",
    "set_end_reason",
    "set_locale",
    "set_muted_sections",
    "unsubscribe",
]
