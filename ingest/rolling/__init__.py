"""Events → account-days → sightings, whatever order they came in."""
