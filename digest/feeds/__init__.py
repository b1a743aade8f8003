"""Bring stories in: from feeds, and by hand.

fetch        reads a feed's bytes within its limits
packing      unpacks a body by what its bytes are
charset      turns bytes into text
xml_faults   mends what publishers' XML breaks
json_feed    reads JSON Feed
parse        turns bytes into entries
dates        reads a publisher's dates, or says that it cannot
months       knows the months' names in many languages
zones        knows what the names of time zones mean
identify     tells a feed's entries apart
outlets      takes an outlet's name off its headlines
drafts       turns entries into unsaved stories
known        finds the stored story of an entry
store        stores entries as stories, once each
polling      decides when each feed is fetched, and where from
adding       brings feeds themselves in and out, and tries them before
ingest       does all of this for one feed, and records how it went
manual       stories that an editor or a program adds
prose        takes the sentences out of a publisher's markup
sanitise     turns markup into plain text
urls         brings URLs into one form
tracking     knows the parameters that say where a click came from
images       chooses a story's picture

child_process  reads what somebody waits for within limits of time and memory
"""
