"""What developers and their coding tools send."""

CODE = r"""
module
    billing
    scheduler
    importer
    session store
    search index
    mail queue
    PDF export
    permission check
    rate limiter
    image cache
    webhook sender
    CSV parser
    tenant switch
    audit log
    map view
    calendar sync
file
    src/{dir}/{stem}.py
    src/{dir}/{stem}.ts
    internal/{dir}/{stem}.go
    app/{dir}/{stem}.rb
    lib/{dir}/{stem}.ex
    crates/{dir}/src/{stem}.rs
    web/{dir}/{stem}.tsx
    tests/{dir}/test_{stem}.py
dir
    billing
    core
    api
    store
    jobs
    ui
    sync
    auth
    report
    parser
    geo
    queue
stem
    invoice
    retry
    client
    schema
    window
    token
    lease
    cursor
    merge
    backoff
    layout
    dispatch
    snapshot
    router
    codec
fn
    parse_{stem}
    load_{stem}
    {stem}_from_row
    next{stem}
    apply_{stem}
    flush_{stem}s
    resolve_{stem}
lang
    Python
    TypeScript
    Go
    Rust
    Ruby
    Kotlin
    SQL
    C#
    Elixir
lib
    the ORM
    an async queue
    the date library
    our HTTP client
    a regex
    plain SQL
    the test runner
    a dataclass
    generics
error
    KeyError: '{stem}_id'
    TypeError: undefined is not a function ({stem})
    connection reset by peer after {2-60} s
    deadlock detected while updating {stem}s
    panic: index out of range [{3-40}] with length {1-3}
    borrow of moved value: `{stem}`
    ambiguous column name: {stem}_at
    maximum recursion depth exceeded in {fn}
    401 from the {dir} service, but only in staging
    assertion failed: expected {2-90}, got {2-90}
symptom
    it works on my machine but not in CI
    only every {2-9}th run fails
    it started after the upgrade on {2-28} {month}
    memory grows by about {20-400} MB an hour
    the second call returns stale data
    tests pass one by one and fail together
month
    March
    May
    August
    October
    November
wish
    Keep the public interface as it is.
    No new dependencies.
    Explain what was wrong before you show code.
    Just the diff please.
    {note_}
    {note_} {note_}
    It must stay under {50-900} ms for {1000-90000} rows.
    Write a failing test first.
    -
    -
debug
    In our {module} ({lang}) I get `{error}` and {symptom}. {wish}
    {symptom}: `{error}`. The code around it uses {lib}. {wish}
    Why would `{fn}` in {file} raise `{error}`? {wish}
    ```\n{snippet}\n```\n{symptom}. {wish}
write
    Write a {lang} function `{fn}` that {does}. {wish}
    I need {lib} in {lang} for our {module}: it {does}. {wish}
    Refactor this so that {does2}:\n```\n{snippet}\n```\n{wish}
    Give me tests for `{fn}` ({lang}). Edge cases: {edge}, {edge}. {wish}
design
    We have a {module} in {lang} with about {2-40} requests a second. How would you {does3}? {wish}
    Pros and cons of {lib} versus {lib} for a {module}? {wish}
    Review this idea: the {module} writes to the {module} in one transaction. {edge}? {wish}
does
    merges overlapping time windows
    retries with jitter and gives up after {3-9} tries
    reads a {3-40}-column CSV and reports the bad lines
    turns nested JSON into flat rows
    keeps the last {10-500} items and drops the oldest
    finds the first gap in a sorted list of ids
    formats an amount for {2-12} currencies
does2
    the {module} no longer knows about the {module}
    it can be tested without a database
    there is one way in
    errors carry the line number
does3
    move it to background jobs
    shard it by customer
    make it safe to run twice
    cut the p99 in half
    migrate without a maintenance window
edge
    empty input
    two writers at once
    a clock that jumps back
    duplicate ids
    a leap day
    text in {2-4} scripts
    a file of {2-9} GB
snippet
    def {fn}(rows):\n    seen = set()\n    for r in rows:\n        if r["{stem}_id"] in seen: continue\n        seen.add(r["{stem}"])\n    return seen
    func (s *Store) {fn}(ctx context.Context, id string) error {\n    s.mu.Lock()\n    row, ok := s.{stem}s[id]\n    if !ok { return nil }\n    return s.db.Put(ctx, row)\n}
    const {stem} = await Promise.all(ids.map(id => fetch{stem}(id)))\nreturn {stem}.filter(x => x.{dir} !== null)
    SELECT {stem}_id, count(*) FROM {stem}s s JOIN {dir} d ON d.id = s.{dir}_id\nWHERE s.created_at > now() - interval '{2-30} days' GROUP BY 1
    impl {stem} {\n    pub fn {fn}(&mut self, n: usize) -> Option<u64> {\n        self.items.drain(..n).last()\n    }\n}
more
    {react} {followup} {wish}
    {react} {followup}
    {followup} {note_}
react
    That fixes the first part, now it says `{error}`.
    ok but {symptom}.
    Good.
    Hmm, {edge} still breaks it.
    Works locally.
    I tried that on {month} data: {symptom}.
    Not quite, `{fn}` is called from the {module} too.
    Nice, {lib} was the culprit.
followup
    Can you do the same for {file}?
    Why not use {lib} here?
    Add a docstring and type hints to `{fn}`.
    Shorter please, and without {lib}.
    What would the migration look like for the {module}?
    How do I test {edge}?
    What happens with {edge} and {edge} together?
    Explain the line with `{fn}` again.
    Rewrite it for {lang}.
    And if the {module} goes away in the middle?
note_
    We have about {1000-90000} rows there.
    The {module} team owns that part.
    It has to ship on {2-28} {month}.
    I can't change {file}.
    Our {lang} version is {2-4} years old.
"""

# A coding tool sends the task once, and then what its tools returned.
AGENT = (
    CODE
    + r"""
task
    {ask} {file}. {wish}
    {ask} the {module}: {does}. {wish}
    The {module} fails with `{error}`. Find out why and fix it. {wish}
    Add {lang} tests for `{fn}` in {file}, covering {edge} and {edge}.
    Upgrade {lib} across the repository and fix what breaks. {wish}
ask
    Rename `{fn}` to `{fn}` everywhere, starting with
    Clean up
    Add logging to
    Split the biggest function in
    Document
    Extend
task_more
    <tool_result name="read_file" path="{file}">\n{snippet}\n</tool_result>
    <tool_result name="run_tests">\n{1-80} passed, {1-6} failed in {2-90}.{10-99} s\nFAILED {file}::{fn} - {error}\n</tool_result>
    <tool_result name="search" query="{fn}">\n{file}:{3-400}\n{file}:{3-400}\n{file}:{3-400}\n</tool_result>
    <tool_result name="list_files" path="src/{dir}">\n{stem}.py\n{stem}.py\n{stem}_test.py\n</tool_result>
    <tool_result name="shell">\n$ git diff --stat\n {file} | {2-60} +++--\n 1 file changed\n</tool_result>
    <tool_result name="edit_file" path="{file}">ok, {2-40} lines changed</tool_result>
    <tool_result name="run_tests">\n{20-400} passed in {2-90}.{10-99} s\n</tool_result>
"""
)
