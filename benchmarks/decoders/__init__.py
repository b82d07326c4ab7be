"""Four ways of decoding with a transformer of one shape, to be raced against each other."""
