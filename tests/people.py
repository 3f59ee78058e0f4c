"""The people who appear in the tests; each has one role."""

PEOPLE = {
    "vic": "viewer",
    "ana": "analyst",
    "leo": "lead",
    "mia": "manager",
    "aud": "auditor",
    "ada": "admin",
}
