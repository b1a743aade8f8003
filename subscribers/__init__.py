"""Who we may write to, and why we may.

signup        from an address in a form to a confirmed subscription
embed         the sign-up form in somebody else's page
preferences   what readers choose afterwards, up to leaving and coming back
consent       the ledger of consent, and the addresses that get no mail
privacy       export, erasure, and deleting what has served its purpose
transfer      lists of readers, in and out
webhooks      tells other programs what happens
reports       counts readers
addresses     judges addresses by their text
mail          mails to one person, and the relays that carry all mail
i18n          the languages and time zones of readers
signed_links  the signed tokens of readers' links, each for one purpose
web           requests to other people's servers
plumbing      tasks, Redis, a cache and signatures
signals       what the layers above are told and asked
models        the rows
views         the pages that readers see
api           the part of the HTTP API that is about readers
admin         the part of the admin that is about newsletters and readers
templatetags  filters for readers' pages and mails
management    the commands
tasks         the Celery tasks
urls          the URLs of readers' pages
apps          registers the app
"""
