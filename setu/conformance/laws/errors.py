"""Laws of errors."""

from setu import _json
from setu.conformance import strategies
from setu.conformance.laws.subject import Subject
from setu.http import Headers


def every_error_has_an_envelope(subject: Subject) -> None:
    """P26 for errors: any status with any body is an error of a class, and every dialect can say it."""
    import json

    from hypothesis import strategies as st

    words = st.dictionaries(
        st.sampled_from(("error", "message", "type", "code", "status", "detail", "details", "object", "param")),
        strategies.json_values(),
        max_size=4,
    )
    bodies = st.one_of(
        st.binary(max_size=30),
        st.just(b"<html><body>502 Bad Gateway</body></html>"),
        st.one_of(strategies.json_values(), words, words.map(lambda w: {"error": w}), words.map(lambda w: [w])).map(
            lambda value: json.dumps(value).encode()
        ),
    )
    headers = st.sampled_from(({}, {"retry-after": "7"}, {"retry-after": "soon"}, {"content-type": "text/html"}))

    def law(example: tuple[int, dict[str, str], bytes]) -> None:
        status, fields, body = example
        info = subject.upstream.errors.parse(status, Headers.of(fields), body)
        assert 400 <= info.status < 600, f"{status} {body!r} became status {info.status}"
        assert info.message, f"{status} {body!r} has no message"
        for dialect in subject.dialects.values():
            envelope = _json.decode(dialect.errors.render(info))
            error = envelope.get("error") if isinstance(envelope, dict) else None
            assert isinstance(error, dict), f"{dialect.name} renders {envelope!r}"
            assert isinstance(error.get("message"), str), f"{dialect.name} renders {envelope!r}"
            frame = dialect.errors.frame(info)
            assert b"message" in (frame.data or b""), f"{dialect.name} frames {frame!r}"

    subject.check(st.tuples(st.integers(400, 599), headers, bodies), law)
