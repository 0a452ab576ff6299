"""What a process says: structlog and the standard library through one door that lets no secret out.

In production every line is one JSON object, `{"event", "level", "logger", "timestamp", …}`.
"""

import logging
import re
import sys
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from monet_web.config import LogFormat

# What they tell at "info" is their own housekeeping; rq's also repeats the arguments of every job.
_TALKATIVE = (
    "alembic",
    "rq.worker",
    "rq.scheduler",
    "rq.job",
    "rq_scheduler.scheduler",
    "flask-limiter",
)

REMOVED = "[removed]"

_SECRET_NAME = re.compile(
    r"(pass(word|wd|phrase)?|secret|token|credential|authori[sz]ation|cookie|api_?key|ws_?key|consumer_?key"
    r"|secret_?key|encryption_?keys?|private_?key|signature)s?$",
    re.IGNORECASE,
)
_NAME_IN_TEXT = (
    r"(?:consumer_key|consumer_secret|ws_key|api_key|apikey|access_token|refresh_token|api_token|token|oauth_\w+"
    r"|client_secret|secret_key|secret|signature|password|passwd|sessionid)"
)
# Each keeps its first group, which says what was removed.
_SECRETS_IN_TEXT = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"""(\b{_NAME_IN_TEXT}["']?\s*[=:]\s*["']?)[^\s&"',;)}}\]]+""",
        r"""((?:proxy-)?authorization["']?\s*[=:]\s*["']?(?:(?:basic|bearer|digest|token)\s+)?)[^\s"',;)}\]]+""",
        r"(\b(?:basic|bearer)\s+)[A-Za-z0-9+/=._~-]{8,}",
        r"((?:set-)?cookie[\"']?\s*[=:]\s*[\"']?)[^\"'\n]+",
        r"(\b[a-z][a-z0-9+.-]*://)[^\s/@:]*:[^\s@/]*(?=@)",
        r"(\bc[ks]_)[0-9a-z]{8,}",
        r"(\bshp(?:at|ss|ca|pa|ua)_)[0-9a-z]{8,}",
    )
)
_E_MAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")


def configure(log_format: LogFormat, *, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send this process's logs, its libraries' too, to `stream` (stderr); a second call replaces it."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact,  # last: after it nothing adds text
    ]
    is_json = log_format == "json"
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if is_json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # configure() may come after a module made its logger
    )


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: secrets go by the name of their field, or by their look inside any text."""
    return {name: _clean(name, value) for name, value in event.items()}


def redact_text(text: str) -> str:
    """The text without keys, tokens, passwords and e-mail addresses; what stood there stays recognisable."""
    for pattern in _SECRETS_IN_TEXT:
        text = pattern.sub(rf"\g<1>{REMOVED}", text)
    return _E_MAIL.sub("[e-mail]", text)


def _clean(name: str, value: Any) -> Any:
    if _SECRET_NAME.search(name) and value is not None and not isinstance(value, bool):
        return REMOVED
    return _clean_value(value)


def _clean_value(value: Any) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return redact_text(value)
        case dict():
            return {_clean_value(key): _clean(str(key), each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean_value(each) for each in value]
        case logging.LogRecord():
            return value  # structlog's own, taken out before rendering
        case _:
            return redact_text(str(value))
