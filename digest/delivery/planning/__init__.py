"""Prepare an edition's rows before they are sent, and close the edition afterwards.

start         moves an approved edition to sending, and plans its readers batch by batch
insert        inserts the rows of one batch
reader_clock  keeps the send times of planned rows when readers change their zone or hour
due           tells which editions have rows that are due, and when the next one is
finish        ends an edition whose rows all have an outcome, or whose deadline has passed
resend        sends an edition again to the readers whom it failed to reach
announce      tells other programs (webhooks) that an edition has gone out
erasure       removes an erased reader from the rows, or lists a reader's rows for them
"""
