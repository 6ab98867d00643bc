"""What Kiln's TOML reader makes of documents, beside Python's own.

usage: toml-differential.py TOOL FOLDER DOCUMENT...

Writes documents into FOLDER (whole ones made up from the grammar, and mutations of those and of the
DOCUMENTs), runs TOOL over them and compares: both refuse, or both mean the same. The seed is fixed.
"""
import datetime, json, math, random, subprocess, sys, tomllib

rng = random.Random(20250101)
BARE = "abz09_-"


def number():
    digits = str(rng.randrange(0, 10 ** rng.randrange(1, 19)))
    if len(digits) > 2 and rng.random() < 0.3:
        digits = digits[0] + "_" + digits[1:]
    return rng.choice(["", "", "+", "-"]) + digits


def floating():
    text = rng.choice(["", "-", "+"]) + str(rng.randrange(1000))
    if rng.random() < 0.7:
        text += "." + str(rng.randrange(1000))
    if "." not in text or rng.random() < 0.3:
        text += rng.choice("eE") + rng.choice(["", "+", "-"]) + str(rng.randrange(30))
    return text


def moment():
    day = "%04d-%02d-%02d" % (rng.randrange(1, 9999), rng.randrange(1, 13), rng.randrange(1, 31))
    time = "%02d:%02d:%02d" % (rng.randrange(24), rng.randrange(60), rng.randrange(60))
    if rng.random() < 0.3:
        time += "." + str(rng.randrange(10**6))
    zone = rng.choice(["", "Z", "z", "+01:30", "-12:00"])
    return rng.choice([day, time, day + rng.choice("Tt ") + time + zone])


def text():
    pieces = ["a", "é", "😀", " ", "\t", "#", "=", "[", "]", "{", ",", "."]
    kind = rng.randrange(4)
    inside = [rng.choice(pieces) for _ in range(rng.randrange(8))]
    if kind == 0:
        inside += rng.choices(["\\n", '\\"', "\\\\", "\\u00e9", "\\U0001F600", "'"], k=3)
        rng.shuffle(inside)
        return '"' + "".join(inside) + '"'
    if kind == 1:
        return "'" + "".join(inside) + '\\"' + "'"
    inside += rng.choices(["\n", "\r\n", "x\n"], k=2)
    rng.shuffle(inside)
    if kind == 2:
        inside.insert(rng.randrange(len(inside)), rng.choice(['"', '""x', "\\  \n\n  ", "\\t"]))
        return '"""' + "".join(inside) + "." + rng.choice(["", '"', '""']) + '"""'
    return "'''" + "".join(inside) + rng.choice(["", "'", "''"]) + "'''"


def key(parts=3):
    def part():
        if rng.random() < 0.8:
            return rng.choice("abcd") if rng.random() < 0.8 else rng.choice(BARE) + rng.choice(BARE)
        return rng.choice(['"a b"', "'c.d'", '""', '"\\t"', '"a"'])

    dot = rng.choice([".", ".", " . "])
    return dot.join(part() for _ in range(rng.choice([1, 1, 1, 2, parts])))


def value(depth=0):
    kind = rng.randrange(9 if depth < 4 else 6)
    if kind == 0:
        return number()
    if kind == 1:
        return rng.choice(["0xdead_beef", "0o17", "0b101", "inf", "-nan", "+inf", floating(), floating()])
    if kind == 2:
        return moment()
    if kind == 3:
        return rng.choice(["true", "false"])
    if kind < 6:
        return text()
    if kind < 8:
        gap = rng.choice(["", " ", "\n", " # c\n  ", "\r\n"])
        items = [value(depth + 1) for _ in range(rng.randrange(4))]
        return "[" + gap + (gap + "," + gap).join(items) + (("," + gap) if items and rng.random() < 0.4 else gap) + "]"
    return "{" + ", ".join(key(2) + " = " + value(depth + 1) for _ in range(rng.randrange(3))) + "}"


def document():
    lines = []
    for _ in range(rng.randrange(1, 9)):
        kind = rng.random()
        if kind < 0.6:
            lines.append(key() + rng.choice(["=", " = "]) + value())
        elif kind < 0.8:
            lines.append("[" + key() + "]")
        elif kind < 0.9:
            lines.append("[[" + key() + "]]")
        else:
            lines.append(rng.choice(["", "# comment", "   # é\t"]))
    return rng.choice(["\n", "\n", "\r\n"]).join(lines) + rng.choice(["", "\n"])


def mutate(data):
    data = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            data[at:at] = rng.choice([b"[", b"]", b"{", b"}", b"=", b".", b'"', b"'", b"\n", b",", b"_", b"0",
                                      b"\\", b"#", b"\r", b"\x7f", b"\xff", b" ", b"-", b":", b"e", b"T"])
        elif kind == 1:
            del data[at:at + rng.randrange(1, 5)]
        elif kind == 2 and data:
            data[at % len(data)] = rng.randrange(256)
        else:
            other = rng.randrange(len(data) + 1)
            data[at:at] = data[other:other + rng.randrange(40)]
    return bytes(data)


def same(ours, theirs):
    """Kiln keeps dates, infinities and NaN as text."""
    if isinstance(theirs, dict):
        return isinstance(ours, dict) and ours.keys() == theirs.keys() and all(same(ours[k], theirs[k]) for k in ours)
    if isinstance(theirs, list):
        return isinstance(ours, list) and len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(theirs, (datetime.date, datetime.time)):
        return isinstance(ours, str) and type(theirs).fromisoformat(ours.upper()) == theirs
    if isinstance(theirs, float) and not math.isfinite(theirs):
        return isinstance(ours, str) and str(float(ours)) == str(theirs)
    return type(ours) is type(theirs) and ours == theirs


def beyond_json(part):
    """What TOML may say and Kiln says it refuses: NUL, and numbers that are too large."""
    if isinstance(part, dict):
        return any(map(beyond_json, part.keys())) or any(map(beyond_json, part.values()))
    if isinstance(part, list):
        return any(map(beyond_json, part))
    if isinstance(part, str):
        return "\0" in part
    if isinstance(part, float):
        return math.isinf(part)
    return isinstance(part, int) and not -(2**63) <= part < 2**63


tool, folder, *given = sys.argv[1:]
seeds = [open(path, "rb").read() for path in given]
documents = list(seeds)
made = [document().encode() for _ in range(3000)]
documents += made
documents += [mutate(rng.choice(made)) for _ in range(3000)]
documents += [mutate(rng.choice(seeds)) for _ in range(3000)]
names = []
for i, data in enumerate(documents):
    names.append("%s/%d.toml" % (folder, i))
    with open(names[-1], "wb") as file:
        file.write(data)
lines = []
for i in range(0, len(names), 1000):
    lines += subprocess.run([tool] + names[i:i + 1000], check=True, capture_output=True).stdout.decode().splitlines()
assert len(lines) == len(documents), (len(lines), len(documents))
taken = wrong = 0
for name, data, line in zip(names, documents, lines):
    try:
        theirs = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValueError, RecursionError):
        theirs = None
    ours = None if line.startswith("refused ") else json.loads(line)
    if ours is None and theirs is not None and beyond_json(theirs):
        continue
    if ours is not None and theirs is None and b"0000-" in data:
        continue  # Python's calendar has no year 0
    taken += ours is not None
    if (ours is None) != (theirs is None) or (ours is not None and not same(ours, theirs)):
        wrong += 1
        print("differs: %s\n%r\nkiln:   %s\npython: %r" % (name, data, line, theirs))
print("%d documents, %d taken, %d differ" % (len(documents), taken, wrong))
sys.exit(1 if wrong or taken < len(documents) / 5 else 0)
