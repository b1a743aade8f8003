"""Tell other programs what happens: events are stored when they happen, and workers send them.

emit       stores a row for each webhook that asked for the event, in the event's transaction
send       posts what is due, and retries with growing pauses
signature  signs what is posted
erasure    tells other programs to forget a reader who is erased
log        tests a webhook, sends events again, and tells a reader who was notified
"""
