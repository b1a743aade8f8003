"""The catalogue and its readers, as the desk sees them; one module per surface."""

from subscribers.admin import catalogue, consent, growth, readers, suppression

__all__ = ["catalogue", "consent", "growth", "readers", "suppression"]
