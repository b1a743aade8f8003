"""Decide how fast messages go out, and by how many connections.

rate_limit        admits claimed rows by the limits of relay and domain, counted in Redis
local_rate_limit  the same limits in this process, while Redis is unavailable
deferrals         tells whether the relay or a domain defers too much
circuit_breaker   keeps lanes away from a relay that cannot be reached, and lets one probe it
connection_slots  chooses a relay by weight, within the connections that it takes
"""
