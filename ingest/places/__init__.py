"""Addresses: country, network, and what kind of network."""
