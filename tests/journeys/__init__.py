"""Whole ways through real parts: browser, web server, worker, relay."""
