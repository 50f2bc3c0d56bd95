"""Made-up tools by the thousand, whose words are spread about as in public catalogues."""

import random
from typing import Any

from gateway.domain.tool import Tool, ToolRef

_TEXTS = {
    "verb": """
        get list create update delete search find send add remove set read write upload
        download export import start stop run cancel approve assign archive copy move merge
        compare count validate convert summarize schedule subscribe publish share restore
        retry inspect
    """,
    "thing": """
        account address alert annotation answer archive article asset attachment audit
        author backup badge balance batch board booking branch bucket budget build calendar
        campaign card cart case category certificate channel chart chat checkout city claim
        client cluster code comment commit company contact container contract conversation
        country coupon course credential currency customer dashboard database dataset deal
        deployment device directory discount document domain driver email employee endpoint
        environment episode error event exchange expense experiment feature feedback field
        file filter flight folder forecast form game group guest guide holiday host hotel
        image incident index ingredient instance invoice issue item job journal key label
        language lead league lecture library link list listing loan location log machine
        mailbox match measurement meeting member menu merchant message metric milestone
        model module monitor movie network news note notification offer order organization
        package page parcel parking participant patient payment payroll permission person
        photo pipeline place plan player playlist podcast policy poll port position post
        price printer product profile project promotion property protocol purchase query
        question queue quote rate recipe record region registry release reminder rental
        repository request reservation resource restaurant review role room route rule
        salary sample schedule schema score season secret segment sensor server service
        session setting shipment shop signal site song source sprint stage statement station
        stock stop store stream student subscription survey table tag task tax team template
        tenant test thread ticket token topic trade train transaction translation trip
        tunnel user vehicle vendor version video visit volume vote wallet warehouse warranty
        weather webhook website widget workflow workspace zone
    """,
    "adjective": """
        active archived available billing current daily default deleted detailed draft due
        expired external failed favorite final free hourly internal invalid large latest
        local manual monthly nearby new next old open overdue paid partial past pending
        personal popular previous primary private public recent recurring related remote
        scheduled secondary selected shared single total trending unread urgent valid
        verified weekly yearly
    """,
    "syllable": """
        ac al ba be co da do el fi ga hu in jo ka lo mi no or pa qui ra so ti un ve wa xo yo
        zen
    """,
}
WORDS = {kind: text.split() for kind, text in _TEXTS.items()}

NAMES = (
    "{verb}_{thing}",
    "{verb}_{adjective}_{thing}",
    "{verb}_{thing}_{other}",
    "{jargon}_{thing}",
)
OPENINGS = (
    "{verb} the {adjective} {thing} of a {other}",
    "{verb} {adjective} {thing}s in {service}",
    "{verb} every {thing} that matches your filters",
    "{verb} one {thing} together with its {other}",
    "Fetches what {service} knows about a {thing}",
    "Returns {thing}s sorted by {other}",
    "Given a {other}, {verb} its {adjective} {thing}",
    "{verb} {thing}",
    "Looks up {jargon} {thing}s",
    "Lets an assistant {verb} {jargon} {other}s",
)
MIDDLES = (
    " by its identifier",
    ", newest first",
    " in {jargon} format",
    " for the signed-in {third}",
    " within a radius of a {third}",
    " and the {third} that belongs to it",
    " between two dates",
    "",
    "",
)
CLOSINGS = (
    ".",
    ". Use it when someone asks about a {third}.",
    ". Requires the {jargon} scope.",
    ". At most one hundred are returned.",
    ". Slow on large {third}s; prefer {jargon}.",
    ", including {adjective} {third}s and {jargon}.",
    ". See also {verb}_{third}.",
    ". Dates are ISO 8601, amounts in cents.",
)
KEYS = ("{thing}_id", "{adjective}_{other}", "{thing}", "{thing}", "{other}Type", "max{other}s")
ARGUMENTS = (
    "Identifier of the {thing}",
    "{thing} {other}",
    "Only {adjective} ones",
    "How many per page",
    "Name of its {other}",
    "Earliest date, inclusive",
    "{jargon} code",
    "Whether {adjective} {other}s count",
    "Free text",
    "Comma-separated",
    "{adjective} or {jargon}",
    "Language",
    "Sort order",
    "In {jargon} notation",
)
REQUESTS = (
    "{verb} {thing} {other}",
    "{verb} {adjective} {thing}s by name in a {other}",
    "I need to {verb} the {adjective} {thing} for the {other} of last week, can you help me?",
    "{thing} {other} {third}",
    "what is the {adjective} {thing} of my {other}, with the {third} at https://example.com/x",
)


def catalogue(tools: int, seed: int = 1) -> list[Tool]:
    """`tools` different tools, some 30 a backend."""
    dice = random.Random(seed)
    services = ["".join(dice.sample(WORDS["syllable"], 3)) for _ in range(max(tools // 30, 1))]
    made: dict[ToolRef, Tool] = {}
    while len(made) < tools:
        tool = _a_tool(dice, dice.choice(services))
        made[tool.ref] = tool
    return list(made.values())


def requests(count: int, seed: int = 2) -> list[str]:
    """Words, agents' phrases and sentences of people, over the same vocabulary."""
    dice = random.Random(seed)
    return [_filled(dice.choice(REQUESTS), dice) for _ in range(count)]


def _a_tool(dice: random.Random, service: str) -> Tool:
    name = _filled(dice.choice(NAMES), dice, service)
    text = "".join(map(dice.choice, (OPENINGS, MIDDLES, CLOSINGS)))
    properties = {
        _filled(dice.choice(KEYS), dice): {
            "type": "string",
            "description": _filled(dice.choice(ARGUMENTS), dice, service),
        }
        for _ in range(dice.randint(0, 6))
    }
    definition: dict[str, Any] = {
        "name": name,
        "description": _filled(text, dice, service),
        "inputSchema": {"type": "object", "properties": properties},
    }
    return Tool(ToolRef(service, name), definition)


def _filled(pattern: str, dice: random.Random, service: str = "") -> str:
    return pattern.format(
        verb=_skewed("verb", dice),
        thing=_skewed("thing", dice),
        other=_skewed("thing", dice),
        third=_skewed("thing", dice),
        adjective=_skewed("adjective", dice),
        service=service,
        jargon=_jargon(dice, service),
    )


def _skewed(kind: str, dice: random.Random) -> str:
    """The first words of a list come up more often than the last."""
    options = WORDS[kind]
    return options[int(len(options) * dice.random() ** 1.3)]


def _jargon(dice: random.Random, service: str) -> str:
    """One of the few words of a service's own, or now and then one of many thousand."""
    source = random.Random(f"{service}{dice.randrange(10)}") if dice.random() < 0.8 else dice
    return "".join(source.choices(WORDS["syllable"], k=4))
