"""The error that a user can mend: what was expected, what came, and what to do."""


class InputError(ValueError):
    """A configuration or an input that cannot work.

    Commands print its message without a traceback and end with exit status 2. Say in the message what was expected,
    what came, and the remedy.
    """
