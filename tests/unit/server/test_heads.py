import pytest

from gateway.server.heads import CLOSE, Heads, date
from gateway.server.reply import Reply


def test_a_date_is_as_http_writes_it() -> None:
    assert date(784111777) == "Sun, 06 Nov 1994 08:49:37 GMT"


def test_a_head_tells_the_type_of_what_there_is() -> None:
    heads = Heads()
    assert b"\r\nContent-Type: application/json\r\n" in heads.head(Reply(200, b"{}"))
    assert b"Content-Type" not in heads.head(Reply(202))


def test_a_header_that_occurs_twice_is_written_once() -> None:
    head = Heads().head(Reply(503, b"{}", {"Connection": "close", "Retry-After": "1"}), CLOSE)
    assert head.count(b"Connection: close\r\n") == 1
    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"Retry-After: 1\r\n" in head


def test_a_value_cannot_bring_a_header_of_its_own() -> None:
    with pytest.raises(ValueError, match="line break"):
        Heads().head(Reply(200, b"", {"Mcp-Session-Id": "a\r\nX: b"}))
