"""Decide when each feed is fetched, and where from.

due       finds the feeds that are due, and puts them in an order
turns     lets few fetches of one host, and few slow ones, be under way at once
interval  computes how long to wait until the next fetch
arrivals  counts by day what a feed brings
hubs      subscribes to feeds at their hubs
moved     follows a feed whose URL has changed for good
"""
