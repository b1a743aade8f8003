"""One connection at a time for half a minute: claim rows, send them and record the outcomes.

The life of one row (`Delivery`), from pending to its outcome:

1. **Claimed.** One statement (`claim`) marks up to 20 rows `sending`, with the lane's name. Rows
   whose readers have left, are suppressed, have paused or chose another frequency become `skipped`.
   A crash here: the lane's lock ends with its database session. At the first tick that comes 20 s
   after the claim (five minutes if the host died) `recover` marks the rows `uncertain`. None was on
   the wire, but nobody can tell them from those of step 3. Where RESEND_UNCERTAIN allows it, they
   are sent again under the same Message-ID, unless the row has had five attempts by then.
2. **Admitted or put off.** `RateLimiter.admit` says how many messages may go. `Outbox` gives the
   other rows back: those of a domain at its rate with the time when they are due, those beyond the
   relay's rate as released. Some rows get their outcome here without the wire, such as those of
   readers who muted everything in the edition. Before a message goes on the wire, the readers'
   status is read again if it was last read more than 50 ms ago.
   A crash here: as in step 1.
3. **On the wire.** `Outbox` has handed the message to the transport, and has no outcome yet.
   A crash here: the message may have arrived, and `uncertain` says so.
4. **Settled.** The transport has an outcome. `Outbox` translates it into what becomes of the row,
   and gives that to the cursor.
   A crash here: the outcome is lost with the process, and the row becomes `uncertain`, whatever the
   outcome was. At most 20 rows of a lane are in steps 1 to 4. These are all that its crash leaves
   uncertain.
5. **Recorded by the next claim.** The statement that claims the next window records the outcomes
   that the cursor has by then; both happen or neither. The cursor keeps them until it knows, so
   they may be recorded twice. The lane's name guards each row: `recover` has taken it from the rows
   of a lane that was thought dead. The number of attempts guards the rows whose messages a relay
   got. When the lane waits or ends, `ClaimCursor.record` records the rest without a claim.

`Outbox` gives each row back to the cursor once, by `keep` or `release`, and only the cursor claims,
checks and records rows. If the database connection is lost, `release_unseen` returns the rows of a
claim whose answer nobody saw. After an error that nobody foresaw, rows that the lane had not yet
handed to the outbox stay `sending` and become uncertain. When the worker stops, the lane takes four
more seconds for what is on the wire, and releases what it claimed ahead (`shutdown`).

lane          a run: relays in turn, connections in turn, windows in turn
claim         the statements that claim, record and check rows
cursor        the position in the queue, the window claimed ahead, outcomes not yet recorded
outbox        messages on the wire, and what an outcome means for the row
recover       the rows of lanes that died
prepared      a statement that PostgreSQL runs while the lane does other work
db_session    the lane's lock, and plans that suit its statements
shutdown      the request to stop
cpu_priority  lets other processes go first
"""
