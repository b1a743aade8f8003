"""News events: which stories report the same thing.

grouping  groups what arrived, and keeps what is grouped where it is
overview  what there is to know of one event
recent    which stories are new enough to be compared
summary   who reports an event, and since when
vectors   keeps the vectors of recent titles
correct   an editor's word on what is one event and what is not
"""
