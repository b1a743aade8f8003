"""Prepare an edition's rows before they are sent, and close the edition afterwards.

start         moves an approved edition to sending or holds it, and plans its readers in batches
insert        inserts the rows of one batch
reader_clock  moves a planned row when its reader changes zone or hour, and skips late readers
due           tells which editions have rows that are due, and when the next one is
finish        ends an edition whose rows all have an outcome, or whose deadline has passed
resend        sends an edition again to the readers whom it failed to reach
announce      tells other programs (webhooks) that an edition has gone out
erasure       empties what servers replied about an erased reader, or lists a reader's rows
"""
