"""What every part of the API has in common, and the routes to newsletters and their readers.

problems     what went wrong, told as RFC 9457 has it
edge         what every answer under /api/ has in common
auth         who asks, how often they may, and for what
parsing      a body is JSON, or refused
receipts     the same request again gets the same answer
paging       lists by keyset, not by offset
"""
