"""Bring feeds themselves in and out.

add        adds the feed of a site's page
discover   finds the feeds that a page leads to
links      reads a page's links to feeds
"""
