"""Jobs: how they are kept, handed out to workers, and asked about."""
