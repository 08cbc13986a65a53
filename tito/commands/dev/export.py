"""`tito dev export`."""


def export():
    """To come."""
