"""The package of the fixture course."""
