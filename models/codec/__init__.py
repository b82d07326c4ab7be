"""The codec: codes to stereo audio and back (contract section 5), one concept a file."""
