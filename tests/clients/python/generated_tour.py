"""The same tour as tour.py, through the client that openapi-generator makes."""

import importlib
import json
import pkgutil
import sys
from urllib.parse import parse_qs, urlsplit

import roster_generated as roster

url, username, password = sys.argv[1:]

# All of it can be imported, not only what the tour needs.
for module in pkgutil.walk_packages(roster.__path__, "roster_generated."):
    importlib.import_module(module.name)

configuration = roster.Configuration(host=url)
client = roster.ApiClient(configuration)
credentials = roster.Credentials(username=username, password=password)
configuration.access_token = roster.TokenApi(client).obtain_token(credentials).access

developers, cursor = [], None
while True:
    page = roster.DevelopersApi(client).list_developers(page_size=100, cursor=cursor)
    developers += [result.actual_instance for result in page.results]
    if page.next is None:
        break
    cursor = parse_qs(urlsplit(page.next).query)["cursor"][0]

projects = roster.ProjectsApi(client)
skill = roster.SkillReference(developers[0].skills[0].name)
project = projects.create_project(roster.ProjectCreate(name="Engine", skills=[skill]))
patch = roster.ProjectPatch(description="It computes.")
patched = projects.partial_update_project(project.id, patch)

ids = [developer.id for developer in developers]
print(json.dumps({"developers": ids, "project": patched.id}))
