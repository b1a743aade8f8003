"""Mails to one person, and the relays that carry all mail.

compose   makes a mail from its templates, as HTML and plain text
inlining  moves the styles of a mail onto its elements
due       sends mails that rows say are due, and says when to try again
relays    reads EMAIL_RELAYS into relays, with their limits
backends  makes Django's backend for a relay
failover  sends such a mail over the first relay that can be reached
"""
