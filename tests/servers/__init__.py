"""Real servers on loopback whose answers a test defines.

relay     an SMTP server that keeps the mails it gets
smtp      an SMTP server that follows a script, up to closing the connection
sink      an SMTP server in a process of its own, which counts much mail and fails on order
esp       the API of an e-mail service provider
web       a web server for feeds and pages
receiver  a receiver of webhooks
nginx     a real nginx with the site that the documentation gives
ports     ports that nobody else takes
"""
