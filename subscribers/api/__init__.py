"""What every part of the API has in common, and the routes to newsletters and their readers.

problems     errors as problem details (RFC 9457)
edge         the middleware that gives every response under /api/ its common form
auth         API tokens, their scopes, and rate limits
parsing      the parser of request bodies: JSON only
receipts     Idempotency-Key: a repeated request gets the first response again
paging       lists by keyset, not by offset
"""
