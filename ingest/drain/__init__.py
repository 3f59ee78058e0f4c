"""Accepted batches → rows, each record once; and out again."""
