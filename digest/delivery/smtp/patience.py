"""How long a relay is waited for, in seconds."""

CONNECT_TIMEOUT = 10.0
REPLY_TIMEOUT = 30.0
# The server may scan the message before it answers the final dot (RFC 5321, 4.5.3.2.6 says ten
# minutes; relays that take a newsroom's mail answer within seconds).
CONTENT_TIMEOUT = 90.0
# From `put` to the outcome, however slowly the server drips its replies and however many messages
# stand before this one: together with lane.WINDOW_SECONDS it stays below recover.LEASE, so that a
# lane never works on rows that another may take for lost.
LONGEST = 4 * REPLY_TIMEOUT + CONTENT_TIMEOUT
# After a 421 the server closes; a polite one at once.
CLOSING = 5.0
QUIT_TIMEOUT = 1.0
# How often a wait looks up to see whether the worker must stop.
STEP = 0.25
