"""Change what an edition says.

curate   its stories, their order and its texts
correct  a correction for the readers who got a mistake
reopen   a skipped edition becomes a draft again
"""
