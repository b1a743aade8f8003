"""Send messages through an ESP, or through any other e-mail backend of Django."""
