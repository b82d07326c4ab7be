"""The studio: the HTTP API, the jobs behind it, the worker processes that make the songs, and the files they leave."""
