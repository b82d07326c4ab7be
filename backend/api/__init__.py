"""The HTTP API of the dispatcher (contract section 7): routes, schemas, and how errors look."""
