"""Fetching what is new: feeds, sitemaps and lists of a catalogue, politely, into WARC files. Read ``crawl.py`` first."""
