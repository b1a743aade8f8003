"""Tell other programs what happens: written down with the event, sent by the workers.

emit     an event becomes a row for each webhook that asked for it, in the event's transaction
send     what is due is signed and posted, and tried again with growing pauses
erased   whoever is erased, other programs are told to forget
log      looked at, sent again, and forgotten after a while
"""
