"""Hand messages to an ESP, or to any other e-mail backend of Django's."""
