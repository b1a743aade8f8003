"""Send an edition to its readers and record each outcome.

lane       one connection for half a minute: claims rows, sends them and records the outcomes
progress   what is known of an edition under way, counted from its rows
send_test  sends one copy of an edition to an editor
pacing     how fast, and by how many connections: limits, slow-downs, circuit breakers
planning   one row per reader, before sending; and the end of an edition
transport  an open connection to a relay, by SMTP or by an ESP's API
ledger     the row of one reader, as a lane holds it
"""
