"""Whether what a run recorded is what it promises to be.

usage: records.py events SCHEMA FILE      each line is valid under the JSON Schema, and has no member beside its
       records.py trace FILE [unfinished]  an array as the Trace Event Format has it

Prints what kinds of events there are, one a line; what is wrong goes to standard error, with status 1.
"""
import collections, json, sys

wrong = []


def need(event, holds, what):
    if not holds:
        wrong.append(f"{what}: {json.dumps(event)}")


def events(schema, path):
    import jsonschema

    schema = json.load(open(schema))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator({**schema, "additionalProperties": False})
    lines = open(path).read()
    if not lines.endswith("\n"):
        wrong.append("the last line has no end")
    lines = [json.loads(line) for line in lines.splitlines()]
    for line in lines:
        for fault in validator.iter_errors(line):
            wrong.append(f"{fault.message}: {json.dumps(line)}")
    run = [line for line in lines if line["event"] != "message"]
    need(run[0], run[0]["event"] == "begin", "first")
    need(run[-1], run[-1]["event"] == "end", "last")
    return [line["event"] for line in lines]


def number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


ARGUMENTS = ["queued_us", "user_us", "system_us", "peak_bytes", "bytes_in", "bytes_out", "most_tokens"]


def member(event):
    phase, args = event.get("ph"), event.get("args", {})
    need(event, phase in ("X", "i", "C", "M"), "no phase that is used here")
    need(event, isinstance(event.get("name"), str) and event["name"], "no name")
    need(event, isinstance(event.get("pid"), int) and isinstance(event.get("tid"), int), "no place")
    need(event, isinstance(args, dict), "arguments are no object")
    if phase != "M":
        need(event, number(event.get("ts")) and event["ts"] >= 0, "no time")
    if phase == "X":
        need(event, number(event.get("dur")) and event["dur"] >= 0, "no duration")
        if event["cat"] in ("done", "failed"):
            for name in ARGUMENTS:
                need(event, number(args.get(name)) and args[name] >= 0, f"no {name}")
    if phase == "i":
        need(event, event.get("s") in ("g", "p", "t"), "no scope")
    if phase == "C":
        need(event, args and all(number(v) for v in args.values()), "a counter counts nothing")
    if phase == "M":
        need(event, event["name"] in ("process_name", "thread_name"), "unknown metadata")
        need(event, isinstance(args.get("name"), str), "metadata without a name")


def trace(path, unfinished):
    text = open(path).read()
    if unfinished:
        text = text[: text.rindex("\n")] + "\n]"
    rows, named = collections.defaultdict(list), set()
    found = json.loads(text)
    for event in found:
        member(event)
        if event["ph"] == "X":
            rows[event["pid"], event["tid"]].append(event)
        if event["name"] == "thread_name":
            named.add((event["pid"], event["tid"]))
    for row, slices in rows.items():
        need(row, row in named, "a row without a name")
        slices.sort(key=lambda e: (e["ts"], -e["dur"]))
        open_until = []
        for event in slices:
            while open_until and open_until[-1] <= event["ts"]:
                open_until.pop()
            end = event["ts"] + event["dur"]
            need(event, not open_until or end <= open_until[-1], "overlaps another")
            open_until.append(end)
    return [e["ph"] + " " + e.get("cat", e["name"]) for e in found]


kinds = events(*sys.argv[2:4]) if sys.argv[1] == "events" else trace(sys.argv[2], sys.argv[3:] == ["unfinished"])
print("\n".join(sorted(set(kinds))))
for line in wrong:
    print(line, file=sys.stderr)
sys.exit(1 if wrong else 0)
