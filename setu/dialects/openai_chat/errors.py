"""Errors inside a chat stream; the envelope is that of both OpenAI APIs."""

from setu.dialects.openai_errors import render_error
from setu.errors import ErrorInfo
from setu.framing.frame import Frame


def frame_error(info: ErrorInfo) -> Frame:
    """Write the error as a frame of a stream that has begun; nothing follows it."""
    return Frame(data=render_error(info))
