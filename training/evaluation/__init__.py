"""How good a trained demo checkpoint is: one group of meters a file, judged from its files alone.

Each meter that names what a song holds is trained on fresh originals and held against originals and shuffled requests.
"""
