"""Decide whether an edition is sent, when, and to whom.

approve    binds an approval to what the edition says at that moment
preflight  finds problems before anybody approves
audience   the readers of an edition, and whether their number is unusual
extra_cap  the readers who have had enough extra editions of late
waves      the moments at which readers get an edition that follows their clocks
send_now   approves an edition as the editor saw it, to be sent now or at its time
early      what becomes of a slot whose edition is sent on an earlier day
release    decides at the send time: send, hold or skip
stop       stops an edition, for now or permanently
notify     tells the editors by mail that an edition is held
remind     tells the editors by mail of a draft, and reminds them of it
"""
