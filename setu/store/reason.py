"""Why a database failed, in words that may be logged."""


def reason(error: Exception) -> str:
    """Return the driver's own words in one line: SQLAlchemy's would repeat the statement and its values."""
    said = str(getattr(error, "orig", None) or error).strip()
    return (said.splitlines() or [type(error).__name__])[0]
