"""Chains, their stores and tokens, and the way from a sandbox to production."""
