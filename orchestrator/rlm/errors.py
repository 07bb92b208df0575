"""Why an analysis could not begin, or had to end early."""


class AnalysisError(Exception):
    """What was given cannot be worked with; no model was asked."""


class SourceError(AnalysisError):
    """A document cannot be read; the message names the file and what to do."""


class QuestionError(AnalysisError):
    """The question, its mode or its schema makes no sense; the message says what would."""


class Spent(Exception):
    """The budget is used up: calls, money or time. Raised by `Ask`; the analysis ends with what it has."""
