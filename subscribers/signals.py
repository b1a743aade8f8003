"""News that the layers above listen for; nothing here knows who does."""

from django.dispatch import Signal

# Sent after commit. Arguments: subscription_id: int, now: datetime.
subscription_confirmed = Signal()

# Sent after commit, again where a reader leaves again.
# Arguments: subscription_id: int, now: datetime.
subscription_ended = Signal()

# Sent inside the transaction that empties a reader's row, so that nothing is left behind if a
# listener fails. Arguments: subscriber_id: int, subscription_ids: list[int], now: datetime.
subscriber_erased = Signal()

# Asked for what the layers above hold about a reader; each listener answers a dict of chapters, of
# what JSON can hold. Argument: subscriber_id: int.
dossier_asked = Signal()

# A reader lives by another clock now: time zone or preferred hour. Sent after commit.
# Arguments: subscriber_id: int, now: datetime.
reading_hour_changed = Signal()

# Asked for how newsletters come; each listener answers {newsletter id: subscribers.rhythm.Rhythm}.
# Argument: newsletter_ids: list[int].
rhythm_asked = Signal()
