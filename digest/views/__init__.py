"""The public pages of the digest.

archive  an edition's web version, and a pasted story
"""
