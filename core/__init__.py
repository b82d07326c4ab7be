"""The language of the system: what a song request is, what tokens mean, what a job is.

Standard library and NumPy only; everything else imports from here and never the other way round.
"""
