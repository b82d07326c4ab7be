"""The files of finished tracks: where they lie, how they are encoded, what is written down about them."""
