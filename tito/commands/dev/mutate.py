"""`tito dev mutate`."""


def mutate():
    """To come."""
