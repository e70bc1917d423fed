"""Files of products, whoever wrote them, become rows of the feed: one engine for the command line and for the API.

The engine (`reading` and what it imports) opens no file, asks no database and knows no event loop: bytes come in as an
iterable of chunks, rows go out. `imports` and `file_*` are the use cases of the import API and of its worker.
"""
