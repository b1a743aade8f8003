"""What every part of the API has in common, and the routes to newsletters and their readers.

problems     errors as problem details (RFC 9457)
middleware   the common form of every response under /api/
auth         API tokens and their scopes; counts each request against a rate limit
rate_limit   the counts of requests, in Redis
parsing      the parser of request bodies: JSON only
idempotency  Idempotency-Key: a repeated request gets the first response again
pagination   lists by keyset, not by offset
"""
