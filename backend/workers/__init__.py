"""The worker processes from both sides: what runs inside one, and how the dispatcher starts, watches and calls them."""
