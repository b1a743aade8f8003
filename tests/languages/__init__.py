"""What readers see, in each of their languages."""
