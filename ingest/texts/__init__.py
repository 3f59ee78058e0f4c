"""Prompts: what may be kept of them."""
