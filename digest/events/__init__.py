"""News events: which stories report the same thing.

grouping  groups what arrived, and keeps what is grouped where it is
summary   who reports an event, and since when
correct   an editor's word on what is one event and what is not
"""
