"""Displays: what is bound to them, what they show, showed and went through."""
