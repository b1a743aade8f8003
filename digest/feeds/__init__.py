"""Read a feed into stories: fetch, parse, clean, ingest."""
