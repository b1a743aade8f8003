"""Who we may write to, and why we may."""
