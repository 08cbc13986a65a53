"""`tito dev check`."""


def check():
    """To come."""
