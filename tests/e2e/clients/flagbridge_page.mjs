// Runs an example of FlagBridge's page about its Testing API as it is written there. No registry has a client with
// `fb.testing`: this one has the members that the page uses, and asks what the page says that each stands for.
//
// In: `{"baseUrl", "key", "example"}`, as JSON. Out: `{"said", "statuses"}`: what the example told the console, and how it
// was answered.
import { text } from "node:stream/consumers";

const { baseUrl, key, example } = JSON.parse(await text(process.stdin));
const statuses = [];

async function ask(method, path, body) {
  const answer = await fetch(`${baseUrl}/v1/testing/sessions${path}`, {
    method,
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  statuses.push(answer.status);
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? undefined : answer.json();
}

const place = (id, flagKey) => `/${id}/overrides/${encodeURIComponent(flagKey)}`;
const fb = {
  testing: {
    createSession: (asked) => ask("POST", "", asked),
    getSession: (id) => ask("GET", `/${id}`),
    destroySession: (id) => ask("DELETE", `/${id}`),
    setOverride: (id, { flagKey, value }) => ask("PUT", place(id, flagKey), { value }),
    setOverrides: (id, overrides) => ask("PUT", place(id, "batch"), { overrides }),
    deleteOverride: (id, flagKey) => ask("DELETE", place(id, flagKey)),
  },
};

const said = [];
const AsyncFunction = (async () => {}).constructor;
await new AsyncFunction("fb", "console", example)(fb, { log: (...values) => said.push(...values) });
process.stdout.write(JSON.stringify({ said, statuses }));
