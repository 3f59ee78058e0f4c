"""What whole crowds paste: a prompt that went round, a work-around, a quick action, a
course's homework; and what researchers of censorship ask."""

# Everybody copies the frame from one post, and puts in a word or two.
VIRAL = (
    "You are my honest future self, ten years from now. Write me a letter in three"
    " paragraphs: what I would laugh about, what I should have started sooner, and one"
    " sentence to pin above my desk. Do not flatter me. Sign it with the year.\n"
    "Who I am: {who}\nWhat worries me: {worry}",
    {
        "who": [
            *("nurse", "student", "baker", "teacher", "father of two", "designer"),
            *("retired pilot", "night porter", "trainee", "violinist", "cook"),
        ],
        "worry": [
            *("money", "my knees", "my thesis", "the move", "being alone", "my job"),
            *("my daughter's school", "deadlines", "getting old", "the garden"),
        ],
    },
)

# Posted in the outage's thread within minutes; who followed it had work again.
WORK_AROUND = (
    "Continue where the other model stopped. Context pasted below in full, answer in"
    " the same format as before and do not start over. If a table was cut off, repeat"
    " its header row first.\nTask: {work}\nLast complete part: {part}\nStill open: {left}",
    {
        "work": [
            *("the quarterly report", "a cover letter", "my lesson plan", "a recipe"),
            *("the grant proposal", "a packing list", "a budget sheet", "the minutes"),
            *("a product page", "chapter four", "a speech", "the survey questions"),
        ],
        "part": ["the introduction", "section two", "the second table", "the outline"],
        "left": [
            *("the summary", "two more examples", "the numbers of March"),
            *("a friendlier ending", "the sources", "the last three rows"),
        ],
    },
)

# A button of a public app, and what its user had selected.
QUICK_ACTION = (
    "[Sandpiper quick action: {action}]\nReturn Markdown only. Keep names and numbers"
    " exactly as they are. Reader level: {level}.\nSelected text:\n{text}",
    {
        "action": ["summarise", "simplify", "make a list", "reply politely", "shorten"],
        "level": ["general", "general", "expert", "child"],
        "text": [
            f"{subject} {event}{reason}"
            for subject in (
                *("The residents' meeting", "The choir", "Our supplier", "The clinic"),
                *("The ferry company", "My landlord", "The school", "The council"),
            )
            for event in (
                *("has moved to the second Tuesday", "asks for a deposit of 80"),
                *("was cancelled at short notice", "wants an answer by Friday"),
                *("will cost a third more from May",),
            )
            for reason in (
                *(" because of repairs.", ", as the letter of 4 March says."),
                *(" and nobody told us.", ". Please see the attached form."),
            )
        ],
    },
)

# One lesson's exercise, with each learner's own half-finished attempt.
LESSONS = [
    (
        "Night School of Code, lesson 5, exercise B. Extend the starter's `inventory`"
        " module so that an item can be lent and returned, and raise an error when it"
        " is lent twice. Here is what I have: {attempt} Explain my mistake before you"
        " show any code.",
        {
            "attempt": [
                "lend() sets a flag but returned() never clears it.",
                "I keep a list of lent items and removing one skips the next.",
                "my test passes alone but not with the others.",
                "the error is raised also on the first time.",
                "I made lent a class variable by accident I think.",
            ]
        },
    ),
    (
        "Night School of Code, lesson 9, exercise A. Write the query that lists every"
        " reader with the number of books on loan, those with none included, sorted by"
        " that number. My query: {attempt} Tell me first why the count is wrong.",
        {
            "attempt": [
                "SELECT name, COUNT(*) FROM readers JOIN loans USING (reader_id)",
                "LEFT JOIN loans but COUNT(*) gives 1 for people without a loan",
                "GROUP BY is missing and the database complains",
                "I filter returned IS NULL in WHERE and lose everybody without loans",
            ]
        },
    ),
    (
        "Night School of Code, lesson 12, exercise C. The endpoint /loans must answer"
        " 409 when the book is already lent. It answers 500. Log: {attempt} Give me two"
        " hints, not the solution.",
        {
            "attempt": [
                "IntegrityError: duplicate key value violates unique constraint",
                "KeyError: 'book_id' in handlers.py line 31",
                "AssertionError in test_lend_twice",
                "the except clause is never reached",
            ]
        },
    ),
]

TOPICS = [
    *("a border dispute between two invented republics", "a ban on a film"),
    *("the flag debate of 1994", "a strike at a state mill", "press licences"),
    *("the name of a strait", "a renamed square", "an exiled poet's passport"),
    *("land rights of herders", "the counting of a referendum", "a closed archive"),
]
OUTLETS = ["a school book", "a party paper", "a radio bulletin", "a museum label"]

# How differently one question is put, and how a platform answers each form.
SENSITIVE = [
    (
        "For a study of what search engines in {place} leave out: this question about"
        " {topic} is politically sensitive there. Put it in a neutral way that a reader"
        " of {outlet} would not stumble over, then list what the new wording loses.",
        {
            "place": ["three regions", "two ministries", "four cities"],
            "topic": TOPICS,
            "outlet": OUTLETS,
        },
    ),
    (
        "Coding scheme, item {item}. How would a censor at {outlet} change the sentence"
        " on {topic}? Give the mild, the usual and the strict version and mark each"
        " deletion.",
        {
            "item": [str(n) for n in range(1, 60)],
            "outlet": OUTLETS,
            "topic": TOPICS,
        },
    ),
]
