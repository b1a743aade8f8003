"""The stages that take a story from a feed to a reader's inbox.

feeds         fetch, parse, clean, store: a feed's entries become Story rows
filing        file: stories go to sections by the editors' rules
events        group: stories that report the same thing get one number
ranking       candidates become a proposal, best first
editions      draft, edit, decide: a proposal becomes an edition bound to a content hash
rendering     assemble, freeze, personalise: an approved edition becomes one reader's message
delivery      plan, claim, send, record: Delivery rows become mail, each with its outcome

language      tells a text's language from what is declared of it
shorten       shortens text for people
schedule      computes when editions go out
models        the rows
views         the public pages of what was sent
api           the part of the HTTP API that is about stories and editions
admin         the editors' part of the admin
templatetags  tags for pages and mails that show editions
management    the commands
demo          a newsletter to play with
receivers     handles the signals of the subscribers app
tasks         the Celery tasks
urls          the URLs of the public pages
apps          registers the app

The stages run in one direction only. Each but ranking leaves rows. The database says what is due,
Celery's beat looks every 30 seconds (tasks.tick), and every task may run twice.
"""
