"""Signs in, reads all developers page by page, and creates and patches a project through the generated client."""

import json
import sys
from urllib.parse import parse_qs, urlsplit

from roster_client import AuthenticatedClient, Client
from roster_client.api.developers import list_developers
from roster_client.api.projects import create_project, partial_update_project
from roster_client.api.token import obtain_token
from roster_client.models import (
    Credentials,
    Developer,
    DeveloperPage,
    Project,
    ProjectCreate,
    ProjectPatch,
    TokenPair,
)
from roster_client.types import UNSET

url, username, password = sys.argv[1:]


def expect(kind, answer):
    """The parsed body, which is of that kind: of an error it would be another one."""
    if not isinstance(answer.parsed, kind):
        raise SystemExit(f"{answer.status_code}: {answer.content.decode()}")
    return answer.parsed


credentials = Credentials(username=username, password=password)
tokens = expect(
    TokenPair, obtain_token.sync_detailed(client=Client(url), body=credentials)
)
client = AuthenticatedClient(url, tokens.access, raise_on_unexpected_status=True)

developers, cursor = [], UNSET
while True:
    answer = list_developers.sync_detailed(client=client, page_size=100, cursor=cursor)
    page = expect(DeveloperPage, answer)
    developers += page.results
    if page.next_ is None:
        break
    cursor = parse_qs(urlsplit(page.next_).query)["cursor"][0]
assert all(isinstance(developer, Developer) for developer in developers)

skill = developers[0].skills[0]
body = ProjectCreate(name="Engine", skills=[skill.name])
project = expect(Project, create_project.sync_detailed(client=client, body=body))
body = ProjectPatch(description="It computes.")
answer = partial_update_project.sync_detailed(project.id, client=client, body=body)
patched = expect(Project, answer)

assert patched.description == "It computes."

ids = [developer.id for developer in developers]
print(json.dumps({"developers": ids, "project": patched.id}))
