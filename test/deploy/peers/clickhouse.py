"""Runs a file of ClickHouse's SQL on the logs of a folder, each loaded twice, and prints what queries answer as JSON."""

import json
import os
import sys

from chdb.session import Session

job = json.load(sys.stdin)
session = Session()
with open(job["sql"], encoding="utf8") as file:
    lines = [line for line in file if not line.startswith("--")]
for statement in "".join(lines).split(";"):
    if statement.strip():
        session.query(statement)
for log in ["orders", "rejections", "checkout", "events_log"]:
    path = os.path.join(job["folder"], f"{log}.jsonl")
    if os.path.exists(path) and os.path.getsize(path) > 0:
        for _ in range(2):
            session.query(
                f"INSERT INTO orderctl.{log} SETTINGS input_format_skip_unknown_fields = 1 "
                f"FORMAT JSONEachRow {open(path, encoding='utf8').read()}"
            )
answers = [
    [json.loads(line) for line in str(session.query(query, "JSONEachRow")).splitlines() if line]
    for query in job["queries"]
]
print(json.dumps(answers))
