"""Bring feeds themselves in and out, and try them before.

add        adds the feed of a site's page
discover   finds the feeds that a page leads to
lists      takes a newsletter's feeds from an OPML file, and gives them as one
opml       reads and writes OPML
trial      tells what a feed or a page would bring
links      reads a page's links to feeds
"""
