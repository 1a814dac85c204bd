"""Errors that a user can act on: each carries one or two sentences that say what to do.

Anything else that is raised is a defect of this package.
"""


class SliceGANError(Exception):
    """Base of every error that this package raises on purpose."""


class ConfigError(SliceGANError):
    """A network or training setting that cannot work."""


class DataError(SliceGANError):
    """An image that cannot be read or cannot be trained on."""


class TrainingError(SliceGANError):
    """A training run that cannot start or go on."""


class ModelError(SliceGANError):
    """A model that cannot be read or cannot make what is asked of it."""


class OutputError(SliceGANError):
    """A place that cannot be written to."""


class DefectError(SliceGANError):
    """What went wrong is nobody's mistake, but a defect of this package.

    Parameters
    ----------
    sentence : str
        What to tell the user.
    details : str
        The traceback as text, for a report.
    """

    def __init__(self, sentence: str, details: str = "") -> None:
        super().__init__(sentence)
        self.details = details


def brief(error: BaseException) -> str:
    """What another package says is wrong, in one line that is not too long: it may quote all of a file."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(reason).strip().partition("\n")[0][:120]
