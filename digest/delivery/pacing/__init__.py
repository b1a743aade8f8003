"""Decide how fast messages go out, and by how many connections.

rate_limit        admits claimed rows by the limits of relay and domain, counted in Redis
local_rate_limit  the same limits in this process, while Redis is unavailable
deferrals         slows a domain down that defers much of its mail
circuit_breaker   leaves a relay alone that cannot be reached, and probes it
connection_slots  keeps the number of connections to a relay within its limit
"""
