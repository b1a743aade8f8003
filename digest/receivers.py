"""Act on news from the subscribers app."""
