"""The same request in other words, as somebody would who was told to vary prompts.

Light paraphrase without a model: another opening and close, and synonyms here and
there. Each wording leaves another skeleton; the sense and the slots stay.
"""

import re

from ingest.demo.dice import Dice, dice
from ingest.demo.grammars import Script

_OPENINGS = (
    "Hi, quick one.",
    "Here is what I need.",
    "Next up:",
    "Please help me with this.",
    "Task for you.",
    "Continuing with the list.",
    "Another case, same spirit.",
    "Consider this carefully.",
    "Thanks for the last one.",
    "One more, please.",
    "Let us look at the following.",
    "For my notes:",
)
_CLOSINGS = (
    "Thanks.",
    "Take your time.",
    "Be thorough.",
    "Keep the format tidy.",
    "No preamble, please.",
    "I will check it afterwards.",
    "Write it so that a newcomer follows.",
    "Stay close to the question.",
    "Be precise.",
    "Plain text is fine.",
    "Return everything in one go.",
    "Say so if something is unclear.",
)
_SYNONYMS = {
    word: tuple(choices.split("|"))
    for word, choices in {
        "state": "give|name|specify|spell out",
        "list": "enumerate|name|write down|collect",
        "write": "draft|compose|produce|set down",
        "explain": "describe|lay out|make clear|walk through",
        "step": "stage|phase|move|stretch",
        "plan": "outline|course of action|scheme|roadmap",
        "begin": "start|open|set out",
        "finish": "end|close|conclude",
        "project": "code base|work|product",
        "task": "assignment|job|piece of work",
        "goal": "aim|objective|target",
        "answer": "reply|response|result",
        "question": "query|problem|item",
        "reasoning": "line of thought|argument|derivation|thinking",
        "rule": "guideline|constraint|condition",
        "use": "apply|employ|rely on",
        "each": "every|every single",
        "exact": "precise|literal|verbatim",
        "call": "invocation|request|use",
        "change": "edit|modification|revision",
        "realistic": "plausible|lifelike|believable",
        "summary": "recap|digest|short account",
        "complete": "full|whole|entire",
        "independent": "separate|self-contained|unrelated",
        "allowed": "permitted|available|at hand",
        "expect": "foresee|anticipate|look for",
        "correct": "right|sound|valid",
        "score": "mark|grade|rating",
        "following": "next|below|ensuing",
        "before": "ahead of|prior to",
        "after": "once done with|following",
        "short": "brief|concise|compact",
        "colleague": "team mate|co-worker|peer",
        "defect": "flaw|fault|bug",
        "severity": "weight|impact|gravity",
        "repository": "repo|source tree|checkout",
        "constraint": "limit|restriction|boundary",
        "observation": "output|finding|outcome",
    }.items()
}
_WORD = re.compile(r"[A-Za-z]+")


def reworded(text: str, rng: Dice) -> str:
    def other(match: re.Match[str]) -> str:
        word = match[0]
        choices = _SYNONYMS.get(word.lower())
        if choices is None or rng.random() < 0.25:
            return word
        new = choices[int(rng.random() * len(choices))]
        return new.capitalize() if word[0].isupper() else new

    opening = _OPENINGS[int(rng.random() * len(_OPENINGS))]
    closing = _CLOSINGS[int(rng.random() * len(_CLOSINGS))]
    return f"{opening} {_WORD.sub(other, text)} {closing}"


class Reworded:
    """A script in `wordings` versions of each line; with 0, in new words each time."""

    def __init__(self, script: Script, wordings: int, seed: str) -> None:
        self.script, self.wordings, self.seed = script, wordings, seed

    def topic(self, rng: Dice) -> str:
        return self.script.topic(rng)

    def line(self, rng: Dice, topic: str, turn: int) -> str:
        text = self.script.line(rng, topic, turn)
        if not self.wordings:
            return reworded(text, rng)
        version = int(rng.random() * self.wordings)
        # The version decides every choice, so that the wording is the same each time.
        return reworded(text, dice("wording", self.seed, topic, version))


def in_words(script: Script, wordings: int, seed: str) -> Script:
    return script if wordings == 1 else Reworded(script, wordings, seed)
