"""The ledger of consent: what readers agreed to, and whom nobody may write to any more.

record       adds a row: the sentence that the reader saw, and where the act came from
guard        allows the two changes of the ledger that the law requires, and no other
suppression  the addresses that get nothing, by choice, bounce or erasure
merged       finds the subscriptions of addresses that turned out to be one person's
"""
