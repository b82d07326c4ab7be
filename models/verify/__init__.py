"""How far an engine's numbers are from float32, and what that does to a song."""
