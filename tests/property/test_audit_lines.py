"""Whatever is told of a request, the audit has it on one line that any parser reads."""

import json
import tempfile
import unicodedata
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.observing import REDACTED
from gateway.credentials.redact import SHORTEST, Redactor
from gateway.domain.events import CallFinished
from gateway.domain.identity import Identity
from gateway.observe.audit_append import Appending, NotWritten
from gateway.observe.audit_copy import copied
from gateway.observe.audit_line import Entry, Rendering
from gateway.observe.audit_redaction import Rules

ANY_TEXT = st.text(st.characters(), max_size=40)  # lone surrogates too
TEXT = st.text(max_size=40)
LIKE_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda deeper: st.lists(deeper, max_size=4) | st.dictionaries(ANY_TEXT, deeper, max_size=4),
    max_leaves=20,
)
ARGUMENTS = st.dictionaries(ANY_TEXT, LIKE_JSON, max_size=5)
HIDDEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})


def rendered(event, arguments, *secrets, rules=REDACTED):
    redactor = Redactor()
    for secret in secrets:
        redactor.learn(secret)
    rendering = Rendering("0a1b2c3d", redactor, Rules(rules), 1_024)
    return rendering(Entry(1, 0.0, event, copied(arguments, 1_024)))


@given(text=ANY_TEXT, id=ANY_TEXT | st.integers(-(2**63), 2**63 - 1), arguments=ARGUMENTS)
def test_it_is_one_line_of_json_that_shows_every_character(text, id, arguments):
    who = Identity(text, text, text, agent=text)
    event = CallFinished("1", text, text, text, "ok", 0.1, who, text, known=False, request=id)
    made = rendered(event, arguments)
    assert made.endswith(b"\n")
    line = made[:-1].decode()
    strange = {c for c in line if unicodedata.category(c) in HIDDEN and c not in "\u0600\u0601"}
    assert {c for c in strange if unicodedata.category(c) != "Cf"} == set()
    assert len(line.splitlines()) == 1
    assert msgspec.json.decode(line)["tool"] == json.loads(line)["tool"]


@given(arguments=st.dictionaries(TEXT, LIKE_JSON, max_size=5), name=TEXT)
def test_what_is_hidden_by_name_is_nowhere(arguments, name):
    canary = "hunter2-canary"
    hidden = {**arguments, f"{name}_Password": {"deep": [canary]}, "of": [{"apiKey": canary}]}
    event = CallFinished("1", "shop", "get", "ci", "ok", 0.1)
    assert canary.encode() not in rendered(event, {"a": [hidden], "b": json.dumps(hidden)})


@given(secret=st.text(min_size=SHORTEST, max_size=30), before=TEXT, after=TEXT)
def test_a_known_secret_is_nowhere_and_the_line_stays_json(secret, before, after):
    text = f"{before}{secret}{after}"
    who = Identity(text, text, text, agent=text)
    event = CallFinished("1", text, text, text, "ok", 0.1, who, text, request=text)
    arguments = {text: text, "json": json.dumps({"a": text}), "of": [{"deep": text}]}
    found = json.loads(rendered(event, arguments, secret, rules=()))
    for name in ("key", "team", "org", "agent", "backend", "tool", "rule", "request"):
        assert secret not in found[name].replace("***", "\0") or secret in "***"


@given(
    batches=st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=8), max_size=12),
    rooms=st.lists(st.sampled_from([0, 0, 1, 3, 7, 15, 40]), max_size=40),
    cuts=st.booleans(),
)
def test_however_writes_are_cut_short_each_line_arrives_once(batches, rooms, cuts):
    """`rooms`: how many bytes each write takes; 0: it fails."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "a").open("ab") as file:
        appending = Short(file.fileno(), ours=cuts)
        appending.rooms = [*rooms, 10_000]
        wanted = []
        for number, sizes in enumerate(batches):
            lines = [b"%d-%d:%s\n" % (number, n, b"x" * size) for n, size in enumerate(sizes)]
            wanted += lines
            while lines:
                try:
                    appending.append(b"".join(lines))
                except NotWritten as error:
                    left = b"".join(lines)[error.whole :]
                    lines = left.splitlines(keepends=True)
                else:
                    lines = []
        while appending.owes:
            try:
                appending.append(b"")
            except NotWritten:
                continue
        assert (Path(folder) / "a").read_bytes() == b"".join(wanted)


class Short(Appending):
    """On a disk that has so much room for each write, and then all there is."""

    rooms: list[int]

    def __init__(self, descriptor, *, ours):
        super().__init__(descriptor, ours=ours)
        self.rooms = []

    @property
    def owes(self):
        return bool(self._owed)

    def _write(self, data):
        room = self.rooms.pop(0) if self.rooms else len(data)
        if room == 0:
            raise OSError(28, "full")
        return super()._write(data[:room])
