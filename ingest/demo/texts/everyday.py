"""What people ask in a chat window."""

SHARED = r"""
hello
    -
    -
    -
    -
    Hi!~
    Hello,~
    hey~
    Good morning.~
    Quick question:~
    ok so~
please
    -
    -
    ~Thanks!
    ~Thank you in advance.
    ~Please keep it short.
    ~A few bullet points are enough.
    ~Explain it like I'm new to this.
    ~No long intro please.
    ~I have about {10-40} minutes.
    ~{aside}
    ~{aside}
    ~{aside} {aside}
aside
    {who} {does_} {when}.
    {who} {does_} {when}, so {wants}.
    {wants}, {because}.
    By the way, {who} {does_} {when}.
    I read {where_} that it {claim}, {doubt}
    Last time it {claim} and {wants}.
who
    My partner
    My neighbour {name}
    Our teacher
    A colleague
    My brother
    {name}
    Somebody at the club
    My grandmother
    The old owner
    My flatmate
does_
    tried this
    asked me about it
    says it is easy
    gave up on it
    has done it for years
    wants to know as well
    warned me
    laughs about me
    needs an answer
    is waiting for it
when
    last winter
    on {day}
    yesterday
    a while ago
    every year
    before we moved
    this morning
    twice already
    after work
    at the weekend
wants
    I want to get it right
    I'd rather be careful
    it has to be simple
    I can't spend much
    we need a plan B
    I'd like to surprise them
    I don't want to start over
    it should look nice
because
    because guests are coming on {day}
    because I promised it to {name}
    since the shop is closed
    as I'm on my own
    because the last one failed
    since time is short
    as usual
where_
    in a magazine
    on a forum
    in an old book
    on the packaging
    somewhere
    in a letter from {name}
claim
    takes twice as long
    never works the first time
    depends on the weather
    gets better with age
    costs a fortune
    is a matter of luck
    went wrong halfway
    was over in an hour
doubt
    is that true?
    which I doubt.
    but who knows.
    can you check?
    and now I'm unsure.
more
    {lead}{core}{tail}
    {lead}{core}{tail}
    {core}
    {lead}{core} {aside}
lead
    -
    Thanks!~
    ok,~
    Nice.~
    hmm,~
    Sorry,~
    Great, but~
    Got it.~
    One more thing:~
    Perfect. Now~
    wait,~
    I see.~
core
    can you make that shorter?
    give me {2-5} more options.
    {twist}
    say {which} in simpler words.
    why is {which} like that?
    what would you pick for {name}?
    sorry, I meant {twist}
    turn {which} into a checklist.
    are you sure about {which}?
    {twist} Everything else can stay.
    put {which} in one message so I can print it.
    what happens to {which} if we only have {2-9} days?
    how would {name} do it?
    compare {which} with {which}.
    is there a version of {which} for beginners?
    translate {which} for my aunt, she reads no English.
    leave {which} and redo the rest.
    what does {which} cost?
    how long will {which} take?
    who could help me with {which}?
which
    the first part
    the second part
    the last point
    the middle bit
    number {2-7}
    the title
    the ending
    the list
    that sentence
    the plan
    your example
    the alternative
    the whole thing
tail
    -
    -
    ~{please_}
    ~{name} asked.
    ~It's for {day}.
    ~I keep forgetting it.
    ~In {2-9} lines at most.
    ~Without jargon.
    ~We talked about it on {day}.
please_
    please
    if that's ok
    thanks
    thank you!
    pretty please
twist
    keep the tone {mood}.
    what if I only have half of the {stuff}?
    use {name} instead.
    it should work for {count} people.
    leave out {which}.
    add one thing I may have forgotten about {which}.
    is there a cheaper way than {which}?
    make {which} sound less like a robot wrote it.
    start again but with {which} first.
mood
    warmer
    calmer
    more serious
    a bit funny
    polite
    neutral
stuff
    time
    money
    ingredients
    space
    people
count
    two
    three
    four
    six
    eight
    twelve
    {15-40}
name
    Maren
    Tobiah
    Ines
    Oluwaseun
    Priya
    Jonas
    Mei
    Salome
    Anouk
    Rafael
    Dilnoza
    Kwame
    Ylva
    Matteo
place
    the coast
    a small town in the hills
    the lake district
    our old neighbourhood
    the capital
    a village near the border
    the islands
day
    Monday
    Tuesday
    Thursday
    Friday
    Saturday
    Sunday
    next week
    the {2-28}th
"""

CHAT = (
    SHARED
    + r"""
cooking
    {hello}what can I make with {food}, {food} and {food}? {diet}{please}
    {hello}I need a {dishkind} for {count} people on {day}, and {diet} {cookextra}{please}
    {hello}my {dish} always comes out {badly}. I {cookstep} for {10-90} minutes. {cookextra}
    {hello}How long does {dish} keep, and can I freeze it? {cookextra}{please}
    {hello}Swap the {food} in {dish} for something else, {diet}
cooking_more
    {lead}I don't have {food}, would {food} do?{tail}
    {lead}how many grams is that for {count} people?{tail}
    {lead}What goes well with it? We already have {food}.{tail}
    {lead}My oven only goes to {180-230} degrees, does that change the time?{tail}
dish
    lentil soup
    potato gratin
    sourdough
    mushroom risotto
    cabbage rolls
    chickpea stew
    plum cake
    dumplings
    flatbread
    rice pudding
    fish pie
    tomato tart
    pickled beets
    barley salad
dishkind
    quick lunch
    birthday cake
    one-pot dinner
    picnic salad
    breakfast that can wait overnight
    starter
    stew
food
    leeks
    red lentils
    two eggs
    leftover rice
    half a pumpkin
    buckwheat
    yoghurt
    smoked paprika
    a tin of chickpeas
    kale
    walnuts
    goat cheese
    soy sauce
    three carrots
    stale bread
    dill
    coconut milk
    oats
diet
    nothing with nuts please.
    one of us is vegetarian.
    we can't have gluten.
    it should not be too spicy.
    no dairy.
    anything goes.
    it has to be cheap.
cookextra
    What am I doing wrong?
    I only have one pan.
    The oven is broken, so stove top only.
    My mother used to add something at the end, but I forgot what.
    I'd like to prepare most of it the day before.
    -
badly
    dry
    too salty
    flat
    soggy in the middle
    grey
    bland
cookstep
    bake it on the middle rack
    let it rest under a cloth
    simmer it without a lid
    stir it now and then
    keep it in the fridge overnight, then warm it
travel
    {hello}we have {2-9} days around {day} and want to see {place} with {party}. {travelwish}{please}
    {hello}Is it realistic to get from {place} to {place} by {ride} in one day? {travelwish}
    {hello}what should I pack for {2-12} days at {place} in {month}? {travelwish}{please}
    {hello}Plan a slow weekend at {place} for {party}. {travelwish}
travel_more
    {lead}and if it rains?{tail}
    {lead}which of these would you skip with {party}?{tail}
    {lead}How early do we have to book the {ride}?{tail}
    {lead}We'd rather sleep at {place}. Does the plan still work?{tail}
party
    my parents
    two small kids
    a friend who uses a wheelchair
    my choir
    our dog
    three teenagers
    my sister
travelwish
    We like walking but not more than {5-18} km a day.
    Museums are fine if they are small.
    No car, no early mornings.
    The budget is {200-1900} for everybody.
    Food matters more than sights.
    -
ride
    train
    bus
    ferry
    bicycle
    night train
month
    January
    March
    April
    June
    September
    October
    November
letters
    {hello}help me write {letter} to {whom}. {lettercontext} {tone}{please}
    {hello}Can you check this for mistakes and {tone} "{sentence} {sentence}"
    {hello}How do I politely say that {lettercontext} {tone}
    {hello}I need {letter}. Facts: {lettercontext} {lettercontext} {tone}
letters_more
    {lead}Make the ending friendlier, {whom} is easily hurt.{tail}
    {lead}now a version of at most {60-140} words{tail}
    {lead}Put in that {lettercontext}{tail}
letter
    a short e-mail
    a complaint
    a thank-you note
    a cancellation
    a cover letter
    a birthday speech
    an invitation
    a note for the door
whom
    my landlord
    the school
    my team lead
    our neighbours
    the insurance
    an old friend
    the sports club
    my aunt {name}
lettercontext
    the heating has not worked since {day}.
    I was double-charged {12-240} for the same order.
    we are moving out at the end of {month}.
    {name} helped us for weeks without asking for anything.
    the meeting on {day} has to move.
    I'd like to work four days a week from {month} on.
    the parcel was left in the rain.
    the noise after {21-23} o'clock has become too much.
    I can't come because {name} is ill.
tone
    Firm but polite.
    Not too formal.
    It should sound like me, not like a lawyer.
    Friendly, a bit funny.
    Keep every fact.
sentence
    We was told that the work would be finish last month.
    I am writing you because of the invoice that I do not understand it.
    Thank you for your kindly help with the move.
    It would be great if you could gave us an answer until {day}.
    The kids enjoyed the trip very much and was asking for it again.
money
    {hello}I earn {1500-5200} a month and pay {400-1900} for rent. {moneyask}{please}
    {hello}what is the difference between {bank} and {bank}? {moneyask}
    {hello}Make a simple budget table for {party} with {1500-5200} income. {moneyask}{please}
bank
    a fixed and a floating rate
    gross and net income
    a debit and a credit card
    an annuity and a pension
    simple and compound interest
moneyask
    How much should go into savings?
    I'm bad with numbers so show each step.
    We also have {1-3} kids and a car that is {4-19} years old.
    What do people usually forget?
learning
    {hello}explain {subject} {level}{please}
    {hello}I have a test about {subject} on {day}. Ask me {3-10} questions one by one, {level}
    {hello}what's the difference between {subject} and {subject}? {level}
    {hello}Give me an example of {subject} from everyday life{please}
learning_more
    {lead}ok: my answer is {2-90}. Right?{tail}
    {lead}I still don't get {subject}.{tail}
    {lead}Next question please.{tail}
    {lead}And how is that different from {subject}?{tail}
subject
    photosynthesis
    the subjunctive
    compound interest
    plate tectonics
    supply and demand
    the French Revolution
    long division
    probability
    the water cycle
    chords and scales
    black holes
    the immune system
    irony
    vectors
    how a bill becomes law
    vaccines
    the Silk Road
level
    for a nine-year-old.
    at school level.
    with a drawing in text.
    like in a first university course.
    in three sentences.
    and don't skip the boring parts.
home
    {hello}my {thing} {broken}. {fixit}{please}
    {hello}What's the best way to {chore}? {fixit}
    {hello}I found {find} on my {plant}. {fixit}{please}
    {hello}When should I {garden} {plant}? We live near {place}. {fixit}
home_more
    {lead}it still does it after I tried that.{tail}
    {lead}I don't own a {tool}. Alternatives?{tail}
    {lead}Is that dangerous for {party}?{tail}
thing
    washing machine
    bicycle chain
    kitchen tap
    laptop fan
    door hinge
    balcony light
    radiator
    dishwasher
broken
    makes a grinding noise
    leaks a little
    only works when it is warm
    stops after {2-30} minutes
    smells of rubber
fixit
    Can I fix it myself with a {tool}?
    I rent, so nothing permanent.
    Please tell me when to call somebody.
    I already cleaned it twice.
    -
tool
    screwdriver
    drill
    pipe wrench
    multimeter
    sewing needle
chore
    get wax out of a carpet
    insulate an old window
    store winter clothes
    clean a cast-iron pan
    descale a kettle
    hang a heavy mirror
find
    white dots
    sticky leaves
    holes in every leaf
    tiny black flies
    yellow edges
plant
    basil
    lemon tree
    tomatoes
    fig
    monstera
    roses
    chilli plants
garden
    cut back
    repot
    sow
    feed
    harvest
stories
    {hello}write {form} about {hero} who {plot}. {storywish}{please}
    {hello}Continue this: "{storyline}" {storywish}
    {hello}I'm running a game evening for {count}. Give me {form} in which {hero} {plot}. {storywish}
    {hello}Ten names for {hero}, nothing too cute. {storywish}
stories_more
    {lead}now tell it of {hero} who {plot}{tail}
    {lead}Darker please. And {name} must not survive.{tail}
    {lead}Make it rhyme.{tail}
    {lead}The ending is too nice. {storywish}{tail}
form
    a bedtime story
    a sonnet
    a short scene
    the first page of a novel
    a riddle
    a song text
    a toast
hero
    a lighthouse keeper
    a retired courier
    a hedgehog
    two sisters
    a clockmaker
    the last librarian
    a dragon with hay fever
    a night-bus driver
plot
    finds a map in a teapot
    refuses to leave the house
    has to lie to a friend
    counts the stars wrongly
    inherits a ferry
    loses a bet against the moon
    hears the same song every night
storywish
    At most {80-400} words.
    It's for {name}, who turns {4-80} on {day}.
    No moral at the end.
    Set it at {place}.
    -
storyline
    The lamp went out at exactly four, as it had the day before.
    Nobody in the village admitted to having sent the letter.
    She counted the steps again, and again there was one too many.
health
    {hello}I {ache} since {day}. {healthask}{please}
    {hello}Make me a {3-12} week plan to {goal}. I can train {2-5} times a week. {healthask}
    {hello}Is it normal to {ache} after {sport}? {healthask}
health_more
    {lead}I'm {18-74}, does that matter?{tail}
    {lead}What would be a gentler version?{tail}
ache
    sleep badly
    have a stiff neck
    get headaches in the afternoon
    feel tired after lunch
    have sore knees
goal
    run {5-21} km
    touch my toes
    sleep before midnight
    do one pull-up
    swim without stopping
sport
    swimming
    yoga
    a long ride
    lifting boxes
    football
healthask
    When should I see a doctor?
    I sit all day.
    No equipment at home.
    -
spreadsheet
    {hello}formula for {sheet}? {sheetapp}{please}
    {hello}In {sheetapp} I want to {sheettask}, column {col} has dates and {col} has amounts.{please}
    {hello}why does =SUMIF({col}2:{col}{40-900},"{name}",{col}2:{col}{40-900}) give 0? {sheetapp}
spreadsheet_more
    {lead}it says #REF now{tail}
    {lead}And the same per month?{tail}
    {lead}column {col} also has empty cells{tail}
sheet
    counting unique names
    the last non-empty cell in a row
    adding up only every second column
    days between two dates without weekends
sheetapp
    It's an old version.
    Google-like sheet, not the desktop one.
    I use the one that came with the laptop.
sheettask
    colour every row older than {7-90} days
    make a total for each person
    split full names into two columns
    find rows that appear twice
col
    A
    B
    C
    D
    F
    H
    K
"""
)

CHAT_TOPICS = (
    "letters",
    "cooking",
    "learning",
    "home",
    "stories",
    "travel",
    "spreadsheet",
    "money",
    "health",
)
