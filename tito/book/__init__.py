"""The book: one page per module, with the outputs of the solved notebook and without its answers."""


class BookError(Exception):
    """The book cannot be built; `status` is 1 if the sources are at fault, 2 if the call is."""

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status
