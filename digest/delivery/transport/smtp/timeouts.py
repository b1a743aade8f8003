"""Define how long to wait for a relay, in seconds."""

CONNECT_TIMEOUT = 10.0
REPLY_TIMEOUT = 30.0
# The server may scan the message before it answers the final dot. RFC 5321, section 4.5.3.2.6, says
# ten minutes; relays that take a newsroom's mail answer within seconds.
CONTENT_TIMEOUT = 90.0
# The longest time from `put` to the outcome, even if the server sends its replies slowly or many
# messages come before this one. Together with `outbox.WINDOW_SECONDS` it stays below
# `recover.LEASE`, so that a lane never works on rows that another process may treat as lost.
MESSAGE_TIMEOUT = 4 * REPLY_TIMEOUT + CONTENT_TIMEOUT
# How long replies are read after a 421. A well-behaved server closes immediately after it.
CLOSING_TIMEOUT = 5.0
QUIT_TIMEOUT = 1.0
# How often, in seconds, a wait checks whether the worker must stop.
POLL_SECONDS = 0.25
