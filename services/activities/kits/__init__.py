"""Kits: what is sent to people who work at home, and what became of it."""
