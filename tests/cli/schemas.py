"""What a JSON Schema validator says of toolchains and containers, beside Kiln itself.

usage: schemas.py TOOL FOLDER TOP

Takes the YAML files of the repository TOP, whole and with one part after the other left out or
replaced, writes them into FOLDER/.kiln, and asks both: TOOL, which reads them as Kiln does, and the
validator. They must agree, but for what stands in BEYOND. A field without a value and
an empty list in place of an empty table are fine for Kiln; the schema, which people write by, has
neither.
"""
import copy, glob, json, os, re, subprocess, sys

import jsonschema, yaml

# What Kiln refuses and a schema cannot know.
BEYOND = [
    r"api: \d+ is unknown",
    r"targets: .* triple",
    r"targets: no glibc version belongs here",
    r"targets: cc and cxx of .* must name a command",
    r"path: .* is no absolute folder",
    r"architectures: name at least one",
    r"packages: .* names no package",
    r"files: deb: .* names no package",
    r"files: path and to must be paths",
]
VALUES = [None, True, 7, -1, 1.5, "", "x", [], {}, [7], [None], ["x"], [{}], {"x": "y"}]


def same(document, schema):
    """The document as Kiln takes it: a field without a value is none."""
    fields = schema.get("properties")
    if isinstance(document, dict):
        below = fields or {}
        other = schema.get("additionalProperties") or {}
        return {
            k: same(v, below.get(k, other))
            for k, v in document.items()
            if v is not None or not fields
        }
    if isinstance(document, list):
        return [same(v, schema.get("items", {})) for v in document]
    return document


def parts(document, path=()):
    yield path
    if isinstance(document, (dict, list)):
        for key in document if isinstance(document, dict) else range(len(document)):
            yield from parts(document[key], path + (key,))


def changed(document, path, change):
    if not path:
        return change(None, None, document)
    document = copy.deepcopy(document)
    above = document
    for key in path[:-1]:
        above = above[key]
    change(above, path[-1], above[path[-1]])
    return document


def mutations(document):
    for path in parts(document):
        for value in VALUES:
            if path:
                yield changed(document, path, lambda a, k, v: a.__setitem__(k, value))
        if path:
            yield changed(document, path, lambda a, k, v: a.__delitem__(k))
            if isinstance(path[-1], str):
                yield changed(document, path, lambda a, k, v: a.__setitem__(k + "s", a.pop(k)))


def fits(validator, document):
    """Whether it is valid, also with an empty list as the empty table that it may stand for."""
    if validator.is_valid(document):
        return True
    for path in parts(document):
        at = document
        for key in path:
            at = at[key]
        if path and at == []:
            again = changed(document, path, lambda a, k, v: a.__setitem__(k, {}))
            if validator.is_valid(again):
                return True
    return False


def check(kind, tool, folder, top):
    with open(f"{top}/{kind}/schema.json") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    documents, differ, taken = {}, 0, 0
    own = f"{folder}/.kiln/{kind}"
    os.makedirs(own)
    whole = sorted(glob.glob(f"{top}/{kind}/*.yaml"))
    assert whole, kind
    for path in whole + sorted(glob.glob(f"{top}/tests/cases/*/.kiln/{kind}/*.yaml")):
        with open(path, "rb") as f:
            text = f.read()
        try:
            document = yaml.safe_load(text)
        except yaml.YAMLError:
            document = "not YAML"
        name = "whole-" + re.sub(r"\W", "-", os.path.relpath(path, top))
        documents[name] = document
        with open(f"{own}/{name}.yaml", "wb") as f:
            f.write(text)
        if path in whole:
            assert validator.is_valid(document), path
            for i, mutation in enumerate(mutations(document)):
                documents[f"{name}-{i}"] = mutation
                with open(f"{own}/{name}-{i}.yaml", "w") as f:
                    json.dump(mutation, f)
    said = subprocess.run([tool, kind, folder], check=True, capture_output=True, text=True).stdout
    answers = dict(line.split(" ", 1) for line in said.splitlines())
    for name, document in documents.items():
        answer = answers[name]
        accepted = answer.startswith("accepted")
        taken += accepted
        valid = fits(validator, same(document, schema))
        if valid != accepted and not (valid and any(re.search(b, answer) for b in BEYOND)):
            differ += 1
            print(f"{kind} {name}: schema {'takes' if valid else 'refuses'} it, kiln: {answer}")
            print("   ", json.dumps(document)[:400])
    print(f"{kind}: {len(documents)} documents, {taken} accepted, {differ} differ")
    return differ == 0 and 10 < taken < len(documents) - 50


tool, folder, top = sys.argv[1:]
good = [check(kind, tool, folder, top) for kind in ("toolchains", "containers")]
sys.exit(0 if all(good) else 1)
