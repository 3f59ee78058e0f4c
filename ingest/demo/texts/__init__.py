"""The words of the demo world, by who would write them. All invented."""
