"""Here so that the fixture counts as a clone."""
