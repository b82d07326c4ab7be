"""The musicians: everything that needs torch. Imports only core."""
