"""Draft, edit and approve an edition, and decide what becomes of it at its send time."""
