"""A small project in place of Stillwatch's own, to watch the launcher alone."""

import json
import os
import sys
import time

import psycopg


def tell(thing: object) -> None:
    sys.stdout.write(f"{json.dumps(thing, default=str)}\n")
    sys.stdout.flush()


def sql(*orders: str) -> None:
    where = os.environ["DATABASE_URL"]
    with psycopg.connect(where, autocommit=True) as connection:
        for order in orders:
            cursor = connection.execute(order)
            if cursor.description:
                tell(cursor.fetchone())


def people() -> None:
    sys.stdout.write("a line that is no JSON\n")
    who = [{"username": "ana", "role": "analyst", "link": "/once/a/"}]
    tell({"ingest_key_file": None, "people": who})


def feed() -> None:
    for part in (0.3, 1.0):
        tell({"progress": part, "text": "Feeding"})
    tell({"ready": "/cases/C-1/"})
    time.sleep(600)


def main(command: str, *words: str) -> int:
    if command == "sql":
        sql(*words)
    elif command == "show":
        tell({name: os.environ.get(name) for name in words})
    elif command == "sleep":
        tell("asleep")
        time.sleep(float(words[0]))
    elif command == "exit":
        return int(words[0])
    elif command == "setup_demo":
        people()
    elif command == "setup_first_admin":
        tell({"link": "/once/first/"})
    elif command == "feed_demo":
        feed()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
