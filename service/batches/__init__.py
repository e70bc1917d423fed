"""Batches and their guards, as an operator sees them."""
