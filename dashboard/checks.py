"""What must hold before Stillwatch serves anyone."""
