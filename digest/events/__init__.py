"""News events: which stories report the same thing.

grouping  groups what arrived, and keeps what is grouped where it is
summary   who reports an event, and since when
vectors   keeps the vectors of recent titles
window    which stories are new enough to be compared
correct   an editor's word on what is one event and what is not
"""
