"""What it costs and what it survives, measured on whole installations."""
