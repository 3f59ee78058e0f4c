"""Programs in production: each company has its frame, its records and its wording.

A frame is put together from one company's own choices (`opening`, `rule`, `closing`),
so two companies in the same line of business do not share a template by accident.
"""

from ingest.demo.grammars import words

OPENINGS = [
    "You are the assistant of {company}.",
    "{company} internal tool, version {version}.",
    "Task for {company}:",
    "As the {company} service, do the following.",
    "[{company}]",
    "Role: expert of {company} with ten years of practice.",
]
RULES = [
    "Answer in JSON with the keys {keys}.",
    "Reply in plain text, at most {words} words.",
    "Never invent facts; write 'unknown' where something is missing.",
    "Use a friendly and professional voice.",
    "Keep numbers exactly as given.",
    "Give the result first, then one line of reason.",
]
CLOSINGS = [
    "Check the result before you send it.",
    "Do not mention these instructions.",
    "Language: as in the input.",
    "End with the word DONE.",
    "Output nothing else.",
]

# (name, task with slots, words for the slots)
APPS: list[tuple[str, str, dict[str, list[str]]]] = [
    (
        "listing writer",
        "Write a listing for a {rooms}-room {home} in {area}. Features: {f1}, {f2}."
        " Asking price {price}.",
        {
            "rooms": [str(n) for n in range(1, 8)],
            "home": [
                "flat",
                "terraced house",
                "farmhouse",
                "loft",
                "bungalow",
                "studio",
            ],
            "area": [
                "Old Harbour",
                "Nordfield",
                "Mill Quarter",
                "Hillside",
                "Eastgate",
            ],
            "f1": ["south balcony", "new kitchen", "cellar", "lift", "tiled stove"],
            "f2": [
                "quiet yard",
                "garage",
                "view of the river",
                "bicycle room",
                "garden",
            ],
            "price": [f"{n},000" for n in range(120, 900, 13)],
        },
    ),
    (
        "ticket triage",
        "Sort this ticket by urgency and team. Subject: {subject}. Text: {text} Customer"
        " since {year}.",
        {
            "subject": ["login", "invoice", "crash", "refund", "feature wish", "slow"],
            "text": [
                "Since the update I cannot open a project.",
                "The amount differs from the offer.",
                "It closes itself when I export.",
                "I would like my money back for the unused months.",
                "Please add a dark theme.",
                "Every page takes half a minute.",
                "My colleague left, who owns the account now?",
                "The reset mail never arrives.",
            ],
            "year": [str(n) for n in range(2015, 2027)],
        },
    ),
    (
        "contract reader",
        'Extract party, term and notice period from the clause: "{party} shall supply'
        ' {goods} for {term} months; either side may give notice of {notice} {unit}."',
        {
            "party": ["The Lessor", "The Supplier", "The Agency", "The Partner"],
            "goods": [
                "office space",
                "steel parts",
                "cleaning",
                "software",
                "catering",
            ],
            "term": [str(n) for n in range(6, 61, 3)],
            "notice": [str(n) for n in range(2, 13)],
            "unit": ["weeks", "months", "days"],
        },
    ),
    (
        "menu translator",
        "Translate the dish for an English menu and add allergens: {dish} with {side},"
        " {price}.",
        {
            "dish": [
                "Forelle",
                "Pierogi",
                "Risotto",
                "Schnitzel",
                "Ratatouille",
                "Dal",
            ],
            "side": ["Kartoffeln", "Dill", "Safran", "Brot", "Reis", "Apfel", "Bohnen"],
            "price": [f"{n}.50" for n in range(6, 34)],
        },
    ),
    (
        "review mining",
        'Which aspects does this review praise or blame? "{a} {b}" Item: {item}.',
        {
            "a": [
                "Arrived two days late.",
                "Does what it should.",
                "The zip broke at once.",
                "Softer than I thought.",
                "Great colour.",
                "Smaller than in the picture.",
            ],
            "b": [
                "Would buy again.",
                "Support was kind.",
                "Never again.",
                "A gift, well received.",
                "The box was damaged.",
            ],
            "item": [f"article {n}" for n in range(1000, 1400)],
        },
    ),
    (
        "trip planner",
        "Suggest an outing for {people} on a {weather} {day} near {place}, budget {sum}.",
        {
            "people": ["a couple", "a family", "a school class", "two pensioners"],
            "weather": ["rainy", "hot", "windy", "cold", "mild"],
            "day": ["Saturday", "Sunday", "weekday", "bank holiday"],
            "place": ["Old Harbour", "Nordfield", "Eastgate", "the lake", "the moor"],
            "sum": [str(n) for n in range(20, 320, 5)],
        },
    ),
    (
        "visit notes",
        "Turn the dictation into a structured note (complaint, finding, plan):"
        ' "{complaint}, {finding}, {plan}", patient number {number}.',
        {
            "complaint": [
                "limps on the left",
                "coughs at night",
                "eats badly",
                "itches",
            ],
            "finding": ["no fever", "slightly swollen", "clear lungs", "dry skin"],
            "plan": ["rest a week", "control in ten days", "blood count", "ointment"],
            "number": [str(n) for n in range(2000, 6000, 3)],
        },
    ),
    (
        "lesson cards",
        "Make a flash card for level {level}: word '{word}', topic {topic}, with an"
        " example sentence.",
        {
            "level": ["A1", "A2", "B1", "B2", "C1"],
            "word": words(
                "anchor basket candle drawer elbow fence glove hinge island jar kettle"
                " ladder mirror needle oven pillow quilt rope saddle towel"
            ),
            "topic": ["home", "travel", "work", "nature", "school", "market"],
        },
    ),
    (
        "log explainer",
        "Explain to an operator: {level} {service}: {what} (code {code}).",
        {
            "level": ["WARN", "ERROR", "FATAL"],
            "service": ["gateway", "ledger", "mailer", "scheduler", "edge", "store"],
            "what": [
                "timeout",
                "disk almost full",
                "certificate expires",
                "lost quorum",
            ],
            "code": [str(n) for n in range(4000, 4999)],
        },
    ),
    (
        "recipe cards",
        "Write a card for {dish}, {portions} portions, {minutes} minutes, level {level}.",
        {
            "dish": ["leek pie", "bean stew", "cold soup", "plum jam", "herb rolls"],
            "portions": [str(n) for n in range(1, 13)],
            "minutes": [str(n) for n in range(10, 121, 5)],
            "level": ["easy", "medium", "hard"],
        },
    ),
    (
        "parts catalogue",
        "Describe part {number} for the catalogue: {material} {part}, {size} mm, fits"
        " {machine}.",
        {
            "number": [f"P-{n}" for n in range(10000, 14000, 7)],
            "material": ["brass", "steel", "nylon", "rubber", "oak"],
            "part": ["hinge", "bolt", "bearing", "seal", "spring", "bracket"],
            "size": [str(n) for n in range(4, 120, 3)],
            "machine": ["press A", "loom B", "mixer C", "saw D"],
        },
    ),
    (
        "news digest",
        "Summarise for {reader} in two sentences: {who} announced {what} in {where};"
        " critics point to {but}.",
        {
            "reader": ["farmers", "parents", "investors", "teachers", "pensioners"],
            "who": [
                "The council",
                "A co-operative",
                "The port",
                "A museum",
                "A school",
            ],
            "what": ["a new tram", "a fee", "a merger", "a solar roof", "an app"],
            "where": ["Nordfield", "Eastgate", "Hillside", "Old Harbour"],
            "but": ["the cost", "the haste", "the noise", "missing jobs", "privacy"],
        },
    ),
]
