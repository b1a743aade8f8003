"""Send requests to other people's servers, at URLs that other people wrote.

guard             opens connections to public addresses only, until a deadline
public_addresses  tells which addresses are on the public internet
transport         sends HTTP requests over such connections
post              posts a few bytes, however badly the other side behaves
receiver_url      checks a webhook's URL when it is typed in
retry_after       reads when a server wants the next request
"""
