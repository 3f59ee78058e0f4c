"""Files in: their forms, and imports that go on where they stopped."""
