"""Tests of what readers see, in each of their languages."""
