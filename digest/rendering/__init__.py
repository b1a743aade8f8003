"""Turn an approved edition into each reader's message.

contents          arranges the stories: the lead, the rest by section
assemble          renders one HTML page and one text page for all readers, with inlined styles
placeholders      stand in the page for a reader's own values, and mark where it is cut
safe_text         makes free text safe for such a page
content_hash      tells by a hash whether an edition shows what it showed before
freeze            cuts the page into segments, encoded once and stored
quoted_printable  encodes text in pieces that can be joined
page_cache        the frozen pages that this process is sending
readers           a reader's own signed values
personalise       joins segments and values into one reader's message
headers           the header lines
identifiers       ids that lead a bounce back to its edition and reader
links             the absolute URLs
preview           an edition as a reader will see it, without sending
"""
