"""A request that a provider would answer with a 4xx, and the words for what is wrong with it."""

from typing import Any, TypeGuard


class RefusedError(Exception):
    """An illegal request; each dialect puts it in its own envelope.

    `type` is the provider's class of error, `param` and `code` are what OpenAI adds to it.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # noqa: A002  the wire's own name
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type
        self.param = param
        self.code = code


def is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_integer(value: Any) -> TypeGuard[int]:
    """Say whether a JSON number is an integer; `1.0` is one."""
    return is_number(value) and (isinstance(value, int) or value.is_integer())
