"""The public pages of the digest.

hubs     answers the hubs that tell when a feed has something new
archive  an edition's web version, and a pasted story
"""
