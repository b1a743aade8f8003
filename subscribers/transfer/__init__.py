"""Readers in from lists and out to lists: CSV, checked row by row, stored by the ten thousand."""
