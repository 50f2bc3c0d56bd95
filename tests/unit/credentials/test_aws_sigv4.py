"""gateway/credentials/aws_sigv4.py: the URL that is signed, and what signing adds."""

import hashlib
import hmac
import logging
from urllib.parse import quote, unquote

import pytest

from gateway.credentials.aws_sigv4 import settled
from gateway.credentials.opening import opened
from gateway.http.message import HttpRequest, HttpResponse
from tests.peers.rest_files import faults
from tests.peers.signing import MEANS, planned, without

KEYS = {
    "region": "us-east-1",
    "service": "service",
    "access_key": "AKIDEXAMPLE",
    "secret_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
}


async def signed(request, **changes):
    credential = opened(planned({"aws_sigv4": {**KEYS, **changes}}), MEANS)
    sent = await credential.apply(request, {})
    assert not await credential.challenged(sent, HttpResponse(403, {}, b""))
    return sent


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://h", "https://h/"),
        ("https://h?a=b", "https://h/?a=b"),
        ("https://h/a%2fb/c:d@e", "https://h/a%2Fb/c%3Ad%40e"),
        ("https://h/%C3%A9/~", "https://h/%C3%A9/~"),
        ("https://h/x?q=a+b%2Bc&z=1*2&e=&n", "https://h/x?q=a%20b%2Bc&z=1%2A2&e=&n"),
        ("https://h/?Action=Get", "https://h/?Action=Get"),
        ("https://h:8443/a%252Fb", "https://h:8443/a%252Fb"),
        ("https://h/%ff?q=%ff", "https://h/%FF?q=%FF"),
    ],
)
def test_a_url_is_brought_into_the_form_that_is_signed(url, found):
    assert settled(url) == found
    assert settled(found) == found


@pytest.mark.parametrize("service", ["s3", "service"])
async def test_a_value_stays_the_segment_it_was_i47(service):
    """As `/`, which S3 reads it as, a value could have chosen another bucket."""
    sent = await signed(HttpRequest("GET", "https://h.example/a%2Fb-logs/k"), service=service)
    assert sent.url == "https://h.example/a%2Fb-logs/k"
    assert by_the_book(sent, service) == dict(sent.headers)["Authorization"]


@pytest.mark.parametrize("service", ["service", "s3"])
@pytest.mark.parametrize(
    "request_",
    [
        HttpRequest("GET", "https://h.example/a%2Fb/c:d?b=2&a=1+x&a=%C3%A9", (("Accept", "*/*"),)),
        HttpRequest("POST", "https://h.example:8443/", (("X-My", " a  b "),), b'{"a":1}'),
        HttpRequest("PUT", "https://h.example/", (("Date", "yesterday"),)),
    ],
)
async def test_the_signature_is_that_of_the_specification(request_, service):
    """Computed again from what was sent, in the words of AWS's documentation."""
    sent = await signed(request_, service=service)
    assert by_the_book(sent, service) == dict(sent.headers)["Authorization"]
    assert sent.body == request_.body
    assert sent.headers[: len(request_.headers)] == request_.headers


def by_the_book(sent, service):
    headers = {name.lower(): " ".join(value.split()) for name, value in sent.headers}
    shown = headers.pop("authorization")
    headers["host"] = sent.url.split("/")[2]
    names = shown.split("SignedHeaders=")[1].split(",")[0].split(";")
    assert set(names) >= {"host", "x-amz-date"}
    path, _, query = ("/" + sent.url.split("/", 3)[3]).partition("?")
    uri = quote(unquote(path)) if service == "s3" else quote(path, safe="/~")
    body = hashlib.sha256(sent.body or b"").hexdigest()
    canonical = [sent.method, uri, "&".join(sorted(query.split("&")))]
    canonical += [f"{name}:{headers[name]}" for name in names]
    canonical += ["", ";".join(names), body]
    stamp = headers["x-amz-date"]
    scope = f"{stamp[:8]}/us-east-1/{service}/aws4_request"
    digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
    key = f"AWS4{KEYS['secret_key']}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    told = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signature = hmac.digest(key, told.encode(), "sha256").hex()
    credential = f"{KEYS['access_key']}/{scope}"
    return (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={';'.join(names)}, "
        f"Signature={signature}"
    )


async def test_s3_is_told_the_digest_and_temporary_keys_their_token():
    request = HttpRequest("GET", "https://b.example/k")
    sent = await signed(request, service="s3", session_token="T")  # noqa: S106  made up
    shown = dict(sent.headers)
    assert shown["X-Amz-Content-SHA256"] == hashlib.sha256(b"").hexdigest()
    assert shown["X-Amz-Security-Token"] == "T"
    assert "x-amz-security-token" in shown["Authorization"]


def test_without_the_library_the_file_is_refused_with_what_to_install():
    text = """
capability: 1
name: api
description: Wants a signature
base_url: https://api.example
auth: {aws_sigv4: {region: r, service: s, access_key: a, secret_key: b}}
tools: {ask: {description: Reads., get: /}}
"""
    assert faults(text) == []
    with without("botocore"):
        [found] = faults(text)
    assert "pip install 'capgate[aws]'" in found


async def test_the_signer_does_not_log_what_it_signs(caplog):
    with caplog.at_level(logging.DEBUG):
        await signed(HttpRequest("GET", "https://h.example/?secret=canary"))
    assert "canary" not in caplog.text
