"""A request's words to weighted terms of the index, words that no tool uses included."""

import re
from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from gateway.domain.search.words import stem, terms, words

LONGEST_QUERY = 2_048  # characters that are read
MOST_WORDS = 64  # different ones; what a request wants, it says early

EXACT = 0.3
PAIR = 0.5  # one pair of characters of a word in a script other than Latin
JOINED = 0.7  # "web hook" for webhook
PART = 0.7  # "webhook" for web hook
BEGINS = 0.5  # "authent" for authentication, "repos" for repo
RELATED = 0.15

SHORTEST_PREFIX = 4
MOST_COMPLETIONS = 3
SHORTEST_PART = 3

_VALUES = (  # values of arguments, told by their form
    (re.compile(r"\b(?:https?|ftp)://\S+|\bwww\.\S+"), " url "),
    (re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}"), " email "),
)

_GROUPS = """
    create add new make
    delete remove erase drop
    get fetch retrieve show read view obtain
    list enumerate
    find search lookup query locate
    send post publish
    update edit modify change set
    run execute start launch
    stop kill terminate end
    compute calculate determine evaluate
    buy purchase order
    book reserve reservation
    repo repository
    config configuration settings
    db database
    msg message
    dir directory folder
    doc document
    env environment
    image picture photo
    movie film
"""


def _related() -> dict[str, tuple[str, ...]]:
    """Stem -> stems of the words that tools use for much the same."""
    found: dict[str, tuple[str, ...]] = {}
    for line in _GROUPS.strip().splitlines():
        group = [stem(word) for word in line.split()]
        for one in group:
            found[one] = (*found.get(one, ()), *(other for other in group if other != one))
    return found


_RELATED = _related()


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What an index knows, or a part of it: all terms; and the index's stems in order, known or
    not.
    """

    known: Container[str]
    ordered: Sequence[str]


def interpret(text: str, lexicon: Lexicon) -> dict[str, float]:
    """Known term -> how much of the request it stands for, 1 for a word itself."""
    text = text[:LONGEST_QUERY]
    for pattern, instead in _VALUES:
        text = pattern.sub(instead, text)
    asked = list(dict.fromkeys(words(text)))[:MOST_WORDS]
    weights: dict[str, float] = {}
    for word, after in zip_longest(asked, asked[1:], fillvalue=""):
        for term, weight in _meanings(word, after, lexicon):
            weights[term] = max(weight, weights.get(term, 0.0))
    return weights


def _meanings(word: str, after: str, lexicon: Lexicon) -> Iterator[tuple[str, float]]:
    stems, exact = terms(word)
    known = [term for term in stems if term in lexicon.known]
    yield from ((term, 1.0 if word.isascii() else PAIR) for term in known)
    if exact in lexicon.known:
        yield exact, EXACT
    if not known and word.isascii():
        yield from _guesses(word, stems[0], lexicon)
    if after and (joined := stem(word + after)) in lexicon.known:
        yield joined, JOINED
    related = _RELATED.get(stems[0], ())
    yield from ((term, RELATED) for term in related if term in lexicon.known)


def _guesses(word: str, stemmed: str, lexicon: Lexicon) -> Iterable[tuple[str, float]]:
    """For a word that no tool uses: words it begins, its two parts, words that begin it."""
    if completions := _completions(stemmed, lexicon):
        return [(term, BEGINS) for term in completions]
    for cut in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1):
        parts = stem(word[:cut]), stem(word[cut:])
        if all(part in lexicon.known for part in parts):
            return [(part, PART) for part in parts]
    for length in range(len(stemmed) - 1, max(SHORTEST_PREFIX, len(stemmed) * 3 // 5) - 1, -1):
        if stemmed[:length] in lexicon.known:
            return [(stemmed[:length], BEGINS)]
    return []


def _completions(begin: str, lexicon: Lexicon) -> Sequence[str]:
    """The first known stems that begin so."""
    found: list[str] = []
    if len(begin) < SHORTEST_PREFIX:
        return found
    ordered, known = lexicon.ordered, lexicon.known
    for at in range(bisect_left(ordered, begin), len(ordered)):
        term = ordered[at]
        if not term.startswith(begin) or len(found) == MOST_COMPLETIONS:
            break
        if term in known:
            found.append(term)
    return found
