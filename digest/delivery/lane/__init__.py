"""One connection for half a minute: a lane claims rows, sends them and records the outcomes.

The life of one row (`Delivery`), from pending to its outcome:

1. **Claimed.** One statement (`claim`) marks up to 20 rows `sending`, with the lane's name. It
   marks readers `skipped` who have left, paused or are suppressed. `ClaimCursor` holds the window.
   A crash here: the lane's database session ends, and with it the lane's lock. After 20 s `recover`
   marks the rows `uncertain`, although none was on the wire: nobody can tell these from those of
   step 3. Where the operator allows it (RESEND_UNCERTAIN), they are sent again under the same
   Message-ID.
2. **Admitted, or put off.** `RateLimiter.admit` asks Redis how many messages may go. `Outbox` gives
   the other rows back to the cursor: a row of a domain at its rate with the time when it is due,
   the rest as released. Before a message is made, its reader's status is read again if the claim is
   more than 50 ms old. A crash here: as in step 1.
3. **On the wire.** `Outbox` has handed the message to the transport and waits for its outcome. A
   crash here: the message may have arrived, and `uncertain` says so.
4. **Settled.** The transport has an outcome, `Outbox` translates it into what becomes of the row,
   and the cursor keeps it. A crash here: the outcome is lost with the process, and a row whose
   message was accepted becomes `uncertain`. A lane never has more than 20 rows in steps 1 to 4;
   these are all that its crash leaves uncertain.
5. **Recorded by the next claim.** The statement that claims the next window records the outcomes of
   this one, in one transaction. If its answer is lost, the outcomes are recorded once more: the
   number of attempts at the time of the claim guards each row. If the lane was taken for dead, its
   name is gone from the rows, and nothing of this lane is recorded over what came since. When the
   lane ends, `ClaimCursor.record` writes the last outcomes without a claim.

Every claimed row is in one place at a time: with the cursor (claimed ahead, or with an outcome), in
the hands of `Outbox.put`, or on the wire. `Outbox` gives each row back to the cursor once, by
`keep` or `release`, and only the cursor speaks to the ledger. An error in between releases what was
never on the wire. When the worker stops, the lane finishes the window on the wire within seconds
and releases the window that it claimed ahead (`shutdown`).

lane          a run: relays in turn, connections in turn, windows in turn
claim         the statements that claim, record and check rows
cursor        the position in the queue, and every row that is not on the wire
outbox        messages on the wire, and what an outcome means for the row
recover       the rows of lanes that died
prepared      a statement that PostgreSQL runs while the lane does other work
db_session    the lane's lock, and plans that suit its statements
shutdown      the request to stop
cpu_priority  lets other processes go first
"""
