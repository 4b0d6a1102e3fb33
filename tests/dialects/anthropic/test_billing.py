from setu import _json
from setu.dialects.record import Route, Target
from setu.dialects.registry import DIALECTS

DIALECT = DIALECTS["anthropic"]


def test_the_billing_block_goes_back_to_anthropic_only():  # B-MSG-19
    block = {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.79;"}
    told = {"type": "text", "text": "You are a coder."}
    body = {"model": "m", "max_tokens": 9, "system": [block, told], "messages": [{"role": "user", "content": "Hi."}]}
    request = DIALECT.client["chat"].parse_request(_json.encode(body), Route(dialect="anthropic", operation="chat"))

    again = _json.decode(DIALECT.upstream["chat"].render_request(request, Target(model="m")).body)
    chat = DIALECTS["openai_chat"].upstream["chat"].render_request(request, Target(model="m"))

    assert again["system"] == [block, told]
    assert b"billing" not in chat.body
    assert [loss.pointer for loss in chat.losses] != []
