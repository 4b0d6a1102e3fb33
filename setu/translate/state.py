"""What a Responses client expects its upstream to remember, where the upstream remembers nothing.

Only a host that speaks the Responses API keeps answers, conversations and templates. A request that builds on one
cannot be told to any other, and half a conversation would be answered as if it were the whole; so it is refused.
"""

import msgspec

from setu.chat.parts import Opaque
from setu.chat.request import ChatRequest, State
from setu.chat.response import ChatResponse
from setu.dialects.record import Loss, pointer
from setu.errors import LocalDialectError, RemoteDialectError

_KEEPER = "openai_responses"
_REFUSED = {
    "previous": "previous_response_id",
    "conversation": "conversation",
    "background": "background",
    "prompt": "prompt",
}


def without_state(request: ChatRequest) -> tuple[ChatRequest, tuple[Loss, ...]]:
    """Return a Responses client's request as one that stands for itself, and what that costs.

    Raises:
        LocalDialectError: it builds on something that only the Responses API keeps; names the member.
    """
    state = request.state or State()
    for field, name in _REFUSED.items():
        if getattr(state, field):
            raise _refused(f"'{name}' needs an upstream that speaks the Responses API; this one does not", name)
    losses: list[Loss] = []
    if state.store is True:
        losses.append(Loss(phase="request", pointer="/store", reason="this upstream keeps no answers", severity="info"))
    losses += [
        _reference(part, index)
        for index, message in enumerate(request.messages)
        for part in message.parts
        if isinstance(part, Opaque) and part.kind == "item_reference" and part.dialect == _KEEPER
    ]
    return msgspec.structs.replace(request, state=None), tuple(losses)


def need_ended(response: ChatResponse) -> None:
    """Refuse an answer that has not ended, for who cannot come back for it: said as it is, it would be a success.

    Raises:
        RemoteDialectError: the upstream answers in the background.
    """
    if response.pending is not None:
        raise RemoteDialectError(
            f"the upstream answers in the background (its status is '{response.pending}'), and only a Responses client"
            " can ask for such an answer again; send the request without 'background'",
            code="unfinished_answer",
        )


def _reference(part: Opaque, index: int) -> Loss:
    """Return the loss of a reference to thinking; what it says otherwise is part of the conversation."""
    if b'"rs_' in part.raw:
        reason = "thinking that another host keeps cannot be sent"
        return Loss(phase="request", pointer=pointer("input", index), reason=reason, severity="info")
    raise _refused(
        f"'input[{index}]' refers to an item that this upstream does not keep; send the item itself",
        f"input[{index}]",
    )


def _refused(message: str, param: str) -> LocalDialectError:
    return LocalDialectError(message, param=param, code="unsupported_parameter")
