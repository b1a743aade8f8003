"""The stages that take a story from a feed to a reader's inbox.

feeds      fetch, parse, clean, ingest   a feed's entries become Story rows
ranking    rank                          candidates become a proposal, best first
editions   draft, curate, approve        a proposal becomes an Edition bound to a content hash
rendering  assemble, freeze, personalise an approved edition becomes one reader's message
delivery   plan, claim, lane, smtp       Delivery rows become mail, an outcome for each

The stages run in one direction only. Each leaves its result in rows that the admin shows. The
database says what is due, Celery's beat looks every 30 seconds (tasks.tick), and every task may
run twice.
"""
