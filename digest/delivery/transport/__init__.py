"""Carry messages to a relay, and read what it answers.

base     one message to send, and what every transport must do with it
connect  opens the transport that a relay needs
replies  reads an SMTP reply into a verdict
smtp     many messages in flight on one SMTP connection
esp      an e-mail service provider's API, or any other backend of Django
"""
