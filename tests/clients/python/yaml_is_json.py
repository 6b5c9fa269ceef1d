"""Reads YAML as PyYAML does, by the rules of YAML 1.1, and compares it with JSON of the same name."""

import json
import sys

import yaml

for name in sys.argv[1:]:
    with open(f"{name}.yaml") as text, open(f"{name}.json") as value:
        assert yaml.safe_load(text) == json.load(value), name
