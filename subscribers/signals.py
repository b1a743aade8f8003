"""Define the signals that the layers above receive; nothing here knows who does."""

from django.dispatch import Signal

# Sent after commit. Arguments: subscription_id: int, now: datetime.
subscription_confirmed = Signal()

# Sent after commit, and once more if a reader who has left leaves again.
# Arguments: subscription_id: int, now: datetime.
subscription_ended = Signal()

# Sent inside the transaction that empties a reader's row: if a receiver fails, nothing of the
# erasure is kept. Arguments: subscriber_id: int, subscription_ids: list[int], now: datetime.
subscriber_erased = Signal()

# Asks the layers above what they hold about a reader. Each receiver returns a dict of chapters, in
# types that JSON has. Argument: subscriber_id: int.
data_export_requested = Signal()

# A reader's time zone or preferred hour has changed. Sent after commit.
# Arguments: subscriber_id: int, now: datetime.
reading_hour_changed = Signal()

# Asks when newsletters come. Each receiver returns {newsletter id: preferences.rhythm.Rhythm}.
# Argument: newsletter_ids: list[int].
rhythm_requested = Signal()
