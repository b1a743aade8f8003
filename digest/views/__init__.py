"""The public pages of the digest."""
