"""What every part of the API has in common, and the routes to newsletters and their readers.

base           the API object without its routes
auth           authenticates a request, checks its scope and counts it
tokens         issues and finds API tokens
rate_limit     the counts of requests
middleware     the common form of every response under /api/
parsing        the parser of request bodies: JSON only
fields         the types of fields, with their constraints
problems       errors as problem details (RFC 9457)
explain        explains the problem types on a page
idempotency    Idempotency-Key: a repeated request gets the first response again
pagination     lists by keyset, not by offset
openapi        completes the description with problems, scopes and headers
newsletters    the newsletters that a reader can sign up for
readers        the readers of a newsletter
subscriptions  signs readers up; a reader's own key opens their subscription
"""
