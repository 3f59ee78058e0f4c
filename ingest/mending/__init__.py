"""What was not stored: kept, mended, tried again."""
