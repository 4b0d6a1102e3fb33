"""The laws: statements about every input, checked on generated ones."""

from collections.abc import Callable

from setu.conformance.judges.finding import Finding
from setu.conformance.laws import errors, requests, streams
from setu.conformance.laws.subject import Subject
from setu.conformance.tally import Tally

Law = Callable[[Subject], None]

LAWS: tuple[tuple[str, Law], ...] = (
    ("XLT-01", requests.parsers_are_total),
    ("XLT-01", requests.legal_requests_are_answered),
    ("XLT-18", requests.rendering_is_pure),
    ("XLT-43", requests.identity_keeps_what_it_does_not_know),
    ("XLT-29", streams.a_stream_is_its_plain_twin),
    ("XLT-30", streams.any_cutting_gives_the_same),
    ("XLT-44", errors.every_error_has_an_envelope),
)
"""Check id and law; a law raises AssertionError with a sentence and the example."""


def run(subject: Subject, tally: Tally) -> None:
    """Check every law."""
    for check, law in LAWS:
        place = f"law: {law.__name__.replace('_', ' ')}"
        try:
            law(subject)
        except AssertionError as error:
            tally.add(check, [Finding(check, str(error)[:1500])], place)
        except Exception as error:  # noqa: BLE001 - a law that breaks the code has found a bug
            tally.add(check, [Finding(check, f"{type(error).__name__}: {error}"[:1500])], place)
        else:
            tally.add(check, [], place)
