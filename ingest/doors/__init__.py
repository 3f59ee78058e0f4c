"""Requests in: who may send, what a 2xx promises, and why a request is refused."""
