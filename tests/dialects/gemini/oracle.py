"""What Google's own SDK thinks of a body: its types forbid unknown members, so they catch what leaks in."""

import itertools
from typing import Any

import pydantic
from google.genai import types
from pydantic.alias_generators import to_camel


class RequestBody(pydantic.BaseModel):
    """The body of generateContent; the SDK has types for its members only."""

    model_config = pydantic.ConfigDict(extra="forbid", alias_generator=to_camel)

    contents: list[types.Content] = pydantic.Field(min_length=1)
    system_instruction: types.Content | None = None
    tools: list[types.Tool] | None = None
    tool_config: types.ToolConfig | None = None
    generation_config: types.GenerationConfig | None = None
    safety_settings: list[types.SafetySetting] | None = None
    cached_content: str | None = None
    labels: dict[str, str] | None = None


def check_request(body: bytes) -> dict[str, Any]:
    """Return the body, refusing what Google's types, roles and turn rules do not allow."""
    read = RequestBody.model_validate_json(body)
    roles = [content.role for content in read.contents]
    assert set(roles) <= {"user", "model"}
    assert all(one != other for one, other in itertools.pairwise(roles)), "roles alternate"
    assert roles[0] == "user"
    for before, after in zip(read.contents, read.contents[1:], strict=False):
        calls = [part.function_call for part in before.parts or () if part.function_call]
        results = [part.function_response for part in after.parts or () if part.function_response]
        if calls and results:  # "number of function response parts is equal to … function call parts" (B-TOOL-04)
            assert [call.name for call in calls] == [result.name for result in results]
    return pydantic.TypeAdapter(dict[str, Any]).validate_json(body)


def check_response(body: bytes) -> types.GenerateContentResponse:
    return types.GenerateContentResponse.model_validate_json(body)
