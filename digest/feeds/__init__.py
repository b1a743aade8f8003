"""Bring stories in: from feeds, and by hand.

fetch        reads a feed's bytes within its limits
packing      unpacks a body by what its bytes are
charset      turns bytes into text
xml_faults   mends what publishers' XML breaks
json_feed    reads JSON Feed
parse        turns bytes into entries
prose        takes the sentences out of a publisher's markup
sanitise     turns markup into plain text
urls         brings URLs into one form
images       chooses a story's picture
image_tags   finds the images in markup
image_signs  knows emoji, spacers and the like by their names
store        stores entries as stories, once each
ingest       does all of this for one feed, and records how it went
manual       stories that an editor or a program adds
"""
