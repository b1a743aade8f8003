"""Mails to one reader, and the relays that carry all mail.

compose   makes a mail from its templates, as HTML and plain text
relays    reads EMAIL_RELAYS into relays, with their limits
backends  makes Django's backend for a relay
failover  sends one mail by the first relay that takes it
"""
