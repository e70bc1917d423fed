"""Files of products, whoever wrote them, become rows of the feed: one engine for the command line and for the API.

Nothing here opens a file, asks a database or knows an event loop: bytes come in as an iterable of chunks, rows go out.
"""
