"""Prints the packages of the Python that runs this, as a JSON list of names and versions."""

import importlib.metadata
import json

found = {(one.metadata["Name"], one.version) for one in importlib.metadata.distributions()}
print(json.dumps([{"name": name, "version": version} for name, version in sorted(found)]))
