"""News that the layers above listen for; nothing here knows who does."""

from django.dispatch import Signal

# Sent after commit. Arguments: subscription_id: int, now: datetime.
subscription_confirmed = Signal()

# Sent after commit, again where a reader leaves again.
# Arguments: subscription_id: int, now: datetime.
subscription_ended = Signal()
