"""Turn an approved edition into each reader's message."""
