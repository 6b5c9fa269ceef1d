// Signs in, reads all developers page by page, and creates and patches a project: what the generated types allow.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Developer = components["schemas"]["Developer"];

const [url, username, password] = process.argv.slice(2) as [string, string, string];
const anonymous = createClient<paths>({ baseUrl: url });

// Of an answer either the data or an error is there.
function expect<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) {
    throw new Error(`${answer.response.status}: ${JSON.stringify(answer.error)}`);
  }
  return answer.data;
}

const tokens = expect(await anonymous.POST("/api/token/", { body: { username, password } }));
const client = createClient<paths>({
  baseUrl: url,
  headers: { Authorization: `Bearer ${tokens.access}` },
});

const developers: Developer[] = [];
let cursor: string | undefined;
do {
  const query = cursor === undefined ? { page_size: 100 } : { page_size: 100, cursor };
  const page = expect(await client.GET("/api/developers/", { params: { query } }));
  // Without the parameter `fields` each is whole.
  developers.push(...(page.results as Developer[]));
  cursor = page.next === null ? undefined : (new URL(page.next).searchParams.get("cursor") ?? undefined);
} while (cursor !== undefined);

const project = expect(
  await client.POST("/api/projects/", {
    body: { name: "Engine", skills: developers.flatMap(({ skills }) => skills).slice(0, 1) },
  }),
);
const path = { id: project.id };
const patched = expect(
  await client.PATCH("/api/projects/{id}/", { params: { path }, body: { description: "It computes." } }),
);

// @ts-expect-error: the types refuse what is no list of skills, and so does the server.
const refused = await client.PATCH("/api/projects/{id}/", { params: { path }, body: { skills: "Rust" } });
if (refused.response.status !== 400) {
  throw new Error("what is no list was taken");
}

console.log(JSON.stringify({ developers: developers.map(({ id }) => id), project: patched.id }));
