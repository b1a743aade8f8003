"""Bring feeds themselves in and out.

add        adds the feed of a site's page
discover   finds the feeds that a page leads to
lists      takes a newsletter's feeds from an OPML file, and gives them as one
opml       reads and writes OPML
links      reads a page's links to feeds
"""
