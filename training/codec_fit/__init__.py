"""Fitting the demo's codec to the corpus: latents, codebooks, and networks initialised in closed form."""
