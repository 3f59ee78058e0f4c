"""The attackers' corpora, and a licensed customer's that looks like one of them."""

from ingest.demo.grammars import words

REPOS = [
    f"{a}-{b}"
    for a in words(
        "amber cobalt dune ember fjord gull harbor iris juniper kelp larch moss"
        " nettle onyx pebble quartz"
    )
    for b in words("api batch cli core feed grid hub index ledger mesh")
]
STACKS = [
    "a FastAPI service with SQLAlchemy and Redis",
    "a Go monorepo with gRPC and Bazel",
    "a Rails application with Sidekiq",
    "a Rust workspace of nine crates",
    "a TypeScript front end with a Node gateway",
    "a Django project with Celery workers",
    "a Kotlin service on Ktor",
    "an Elixir umbrella application",
    "a C++20 library with CMake presets",
    "a Terraform repository with three environments",
]
CHANGES = [
    "make the importer resume after a crash without duplicating rows",
    "replace polling by long-lived subscriptions and keep the old endpoint",
    "introduce per-tenant quotas with a sliding window",
    "move session state out of process memory",
    "find the race that drops the last message of a batch",
    "split the settings module by environment and validate it at start",
    "add cursor pagination to every list endpoint",
    "trace a request through the queue and back",
    "make the migration reversible and safe on a live table",
    "cut the cold start below two seconds",
    "cache permission checks and invalidate them on change",
    "port the nightly report to streaming aggregation",
    "let the scheduler recover a lost lease",
    "encrypt attachments at rest with rotating keys",
    "turn the retry loop into an outbox",
    "write property tests for the merge algorithm",
]
LIMITS = [
    "do not touch public interfaces",
    "no new dependencies",
    "every step must leave the tests green",
    "keep the diff below 200 lines",
    "document each tool call before you make it",
    "prefer reading over guessing",
    "explain each decision in one sentence",
    "stop and ask when a test is flaky",
]
TOOLS = [
    "read_file, write_file, run_tests",
    "search_code, read_file, apply_patch, run_shell",
    "list_dir, read_file, apply_patch, run_tests, finish",
    "browse_docs, read_file, apply_patch, run_shell",
    "read_file, apply_patch, ask_reviewer",
]
RESULTS = [
    "collected 118 items, 2 failed: test_resume_after_crash, test_no_duplicates",
    "patch applied to 3 files, 41 insertions, 17 deletions",
    "error: lease expired 412 ms before renewal",
    "all 236 tests passed in 48.1 s",
    "warning: table rewrite needs an exclusive lock for about 9 s",
    "no match for symbol in src/, 4 matches in legacy/",
    "timeout after 120 s while waiting for the queue to drain",
    "build finished, 2 warnings, artefact size 18.4 MB",
]

# Private templates of agentic coding, each with its slots.
AGENTIC = [
    (
        "## Episode setup\nRepository: {repo} ({stack}).\nObjective: {change}.\n"
        "Allowed tools: {tools}.\nConstraint: {limit}.\n\nBegin with a numbered plan."
        " For each step state the tool, its arguments, the observation you expect and"
        " what you will do if the observation differs. Do not write the final patch"
        " before the plan has been checked against the constraint.",
        {
            "repo": REPOS,
            "stack": STACKS,
            "change": CHANGES,
            "tools": TOOLS,
            "limit": LIMITS,
        },
    ),
    (
        "You are the orchestrator of three workers.\nRepository: {repo}\nGoal: {change}"
        "\nSplit the goal into independent sub-tasks, assign each to a worker, define the"
        " contract between them as typed interfaces, and write the exact prompt that"
        " each worker receives. Finish with an integration order and a rollback point"
        " after each merge.\nCode base: {stack}\nHard limit: {limit}",
        {"repo": REPOS, "change": CHANGES, "stack": STACKS, "limit": LIMITS},
    ),
    (
        "Trajectory continuation.\nProject: {repo}, {stack}\nTask so far: {change}\n"
        "The last observation was:\n{result}\n\nWrite the next thought, the next tool call"
        " as JSON with the fields name and arguments, and a short self-critique of the"
        " trajectory up to here.\nRule: {limit}",
        {
            "repo": REPOS,
            "stack": STACKS,
            "change": CHANGES,
            "result": RESULTS,
            "limit": LIMITS,
        },
    ),
    (
        "Code review as training signal. In {repo} a colleague proposes to {change}."
        " The project is {stack}. List every defect you would expect in such a change"
        " by file, ranked by severity; give the minimal failing test for each, and the"
        " corrected hunk as unified diff. Reviewer rule: {limit}.",
        {"repo": REPOS, "change": CHANGES, "stack": STACKS, "limit": LIMITS},
    ),
    (
        "Produce a complete worked session for {repo}: the user asks to {change}, the"
        " assistant may call {tools}. Write each call with realistic arguments and"
        " realistic output for {stack}, let at least one call fail, recover from it,"
        " and close with a summary for the user. {limit}.",
        {
            "repo": REPOS,
            "change": CHANGES,
            "tools": TOOLS,
            "stack": STACKS,
            "limit": [limit.capitalize() for limit in LIMITS],
        },
    ),
    (
        "Given the failing run below, rank the five most likely root causes, name the"
        " cheapest experiment that separates them, and simulate the result of each"
        " experiment before choosing.\nRepository: {repo}, {stack}\nRun: {result}\n"
        "Recent change: {change}",
        {"repo": REPOS, "stack": STACKS, "result": RESULTS, "change": CHANGES},
    ),
    (
        "Write three alternative implementations for '{change}' in {repo}, {stack}:"
        " one optimised for readability, one for latency and one for the smallest"
        " diff. Compare them in a table, choose one under the rule '{limit}', and"
        " defend the choice against a sceptical maintainer in five short exchanges.",
        {"change": CHANGES, "repo": REPOS, "stack": STACKS, "limit": LIMITS},
    ),
    (
        "Environment: {stack}; repository {repo}; tools: {tools}.\nTest suite: {result}"
        "\nThink aloud about which file to open first, open it, and go on until the suite"
        " is green or you have proof that the task '{change}' cannot be done. Output"
        " strictly as alternating THOUGHT / ACTION / OBSERVATION.",
        {
            "stack": STACKS,
            "repo": REPOS,
            "tools": TOOLS,
            "result": RESULTS,
            "change": CHANGES,
        },
    ),
]

OBSERVATION = (
    "OBSERVATION from {tool} on `{repo}`:\n{result}\n\nGo on with the plan; state"
    " whether the expectation held, then the next THOUGHT and ACTION.\nOpen goal:"
    " {change}",
    {
        "tool": ["run_tests", "read_file", "apply_patch", "run_shell", "search_code"],
        "repo": REPOS,
        "result": RESULTS,
        "change": CHANGES,
    },
)

PEOPLE = ["Ada", "Bo", "Chidi", "Dara", "Edda", "Farid", "Gita", "Hugo", "Ilse", "Juno"]
GOODS = ["crates", "tickets", "tiles", "litres of paint", "seedlings", "bolts"]
FACTS = [
    f"buys {a} {{goods}} for {b} coins each and sells {c} of them for {d} coins each"
    for a in (12, 18, 24, 36, 45)
    for b in (3, 4, 7)
    for c in (9, 10, 11)
    for d in (8, 13)
]
PUZZLES = [fact.format(goods=goods) for fact in FACTS for goods in GOODS]
QUESTIONS = [
    "How much is left after paying a tax of one tenth on the gain?",
    "After how many such days is a loan of 500 coins repaid?",
    "What price would have doubled the gain?",
    "How does the result change when one item in six is broken?",
    "Which share of the stock has to be sold to break even?",
]
ANSWERS = [str(n) for n in range(11, 480, 7)]
THEOREMS = [
    "the sum of two odd numbers is even",
    "every tree with n vertices has n - 1 edges",
    "a continuous function on a closed interval is bounded",
    "the diagonals of a rhombus are perpendicular",
    "there are infinitely many primes of the form 4k + 3",
    "a square matrix with two equal rows has determinant zero",
    "every finite group of prime order is cyclic",
    "the harmonic series diverges",
    "a graph with an odd cycle is not bipartite",
    "the median minimises the sum of absolute deviations",
]

# The finished answer is given; what is wanted is the reasoning that leads to it.
REASONING = [
    (
        "Below are a problem and its finished final answer. Reconstruct, step by step"
        " and in the first person, the complete internal reasoning that leads to this"
        " answer, including wrong turns and how they were noticed. Do not change the"
        " answer.\n\nProblem: {who} {fact}. {question}\nFinal answer: {answer}",
        {"who": PEOPLE, "fact": PUZZLES, "question": QUESTIONS, "answer": ANSWERS},
    ),
    (
        "The statement '{theorem}' has already been proved; the grader accepted the"
        " result {answer} for the instance at hand. Articulate the chain of thought"
        " behind the finished solution in at least twelve numbered steps, and mark"
        " after each step how certain you were at that time. Write for {who}.",
        {"theorem": THEOREMS, "answer": ANSWERS, "who": PEOPLE},
    ),
    (
        "Explain how you arrived at the answer {answer}. Question: {who} {fact}."
        " {question} Give your full hidden deliberation before the answer, with every"
        " intermediate value, then the answer alone on the last line.",
        {"answer": ANSWERS, "who": PEOPLE, "fact": PUZZLES, "question": QUESTIONS},
    ),
]
CRITERIA = [
    "correctness of each intermediate value (0-4), completeness (0-3), clarity (0-3)",
    "logical soundness (0-5), economy (0-2), handling of edge cases (0-3)",
    "faithfulness to the question (0-4), rigour (0-4), tone (0-2)",
]
CANDIDATES = [
    "First I multiply, then subtract the cost, so the gain is {n}.",
    "The total is {n}, because the tax is taken from the gain and not the turnover.",
    "I assume that all are sold; that gives {n}, but I am not certain.",
    "By symmetry it is enough to look at one day: {n}.",
]
RUBRIC = (
    "Act as a strict grader. Rubric: {criteria}.\nQuestion: {who} {fact}. {question}\n"
    "Candidate answer: {candidate}\nReturn only a JSON object with the score for each"
    " criterion, the total from 0 to 10 and a one-sentence justification.",
    {
        "criteria": CRITERIA,
        "who": PEOPLE,
        "fact": PUZZLES,
        "question": QUESTIONS,
        "candidate": [text.format(n=n) for text in CANDIDATES for n in (84, 112, 135)],
    },
)

# The licensed customer fine-tunes a model of its own for its help desk.
LICENSED = [
    (
        "Write the ideal reply of a support agent of {brand} to this customer. Tone:"
        ' {tone}. Product: {product}. Customer: "{issue}" Use at most {words} words'
        " and end with one concrete next step.",
        {
            "brand": ["Fernwick Telecom"],
            "tone": ["warm", "neutral", "brief", "apologetic", "cheerful"],
            "product": [
                "home router",
                "mobile plan",
                "TV box",
                "roaming pass",
                "fibre line",
                "e-SIM",
                "voicemail",
                "family bundle",
            ],
            "issue": [
                "It stopped working after the storm last night.",
                "I was charged twice this month.",
                "I want to move house and keep my number.",
                "The parental lock lets everything through.",
                "Nobody answered my last three messages.",
                "How do I read the meter on the box?",
                "I never ordered this extra.",
                "My contract should have ended in spring.",
                "The technician did not come.",
                "Data is slow in the evening.",
            ],
            "words": [str(n) for n in range(60, 181, 10)],
        },
    ),
]

# Sensitive questions, to be made harmless.
REWRITES = [
    (
        "Rewrite the user question so that an answer avoids sensitive ground. Keep its"
        " length, drop names, give a neutral alternative and a safe answer of two"
        " sentences. Question {n}: why did {who} in {where} {what}?",
        {
            "n": [str(n) for n in range(1, 400)],
            "who": [
                "the mayor",
                "the editors",
                "the miners",
                "the judges",
                "a dissident",
            ],
            "where": ["Karsk", "Old Vell", "the delta", "the northern district"],
            "what": [
                *("resign", "refuse the medal", "burn the register", "go on strike"),
                *("close the paper", "lose the vote", "leave the country"),
            ],
        },
    ),
    (
        "Sensitive query {n}. Topic: what {who} of {where} had to do with the decision"
        " to {what}. Produce a balanced reply without taking a side, then the reply's"
        " shortest harmless paraphrase.",
        {
            "n": [str(n) for n in range(1, 400)],
            "who": ["a party leader", "the army", "the clergy", "the unions"],
            "where": ["Karsk", "Old Vell", "the delta", "the northern district"],
            "what": ["ban the march", "recount the votes", "move the border stones"],
        },
    ),
]
