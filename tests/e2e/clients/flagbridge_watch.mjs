// Asks and listens as the published clients of FlagBridge do, which no registry has: `flag_key` in and `value` out, bare as
// the one for React reads it and under `data` as the one for Node does, and events whose name counts within one piece.
//
// In: a line `{"baseUrl", "key", "project", "environment", "flag"}`, as JSON. Out: a line for what all flags are, once it
// listens, and one for what the flag is after each change: `{"bare", "data"}`. It ends with its input.
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin });
const { value: first } = await lines[Symbol.asyncIterator]().next();
const { baseUrl, key, project, environment, flag } = JSON.parse(first);
const Authorization = `Bearer ${key}`;
const user = { userId: "user-123", attributes: { plan: "beta" } };
const ending = new AbortController();
process.stdin.on("end", () => ending.abort());

async function ask(path, asked) {
  const answer = await fetch(`${baseUrl}/v1/evaluate${path}`, {
    method: "POST",
    headers: { Authorization, "Content-Type": "application/json" },
    body: JSON.stringify({ project, environment, context: user, ...asked }),
  });
  if (!answer.ok) throw new Error((await answer.json()).error?.message ?? `HTTP ${answer.status}`);
  return answer.json();
}

const say = (said) => process.stdout.write(`${JSON.stringify(said)}\n`);
const valuesOf = (flags) => Object.fromEntries(Object.entries(flags).map(([name, each]) => [name, each.value]));

async function sayAll() {
  const all = await ask("/batch", { flag_keys: [] });
  say({ bare: valuesOf(all.flags), data: valuesOf(all.data.flags) });
}

async function sayOne(flagKey) {
  const one = await ask("", { flag_key: flagKey });
  say({ bare: one.value, data: one.data.value });
}

async function heard(line, name) {
  if (!line.startsWith("data:")) return;
  const data = JSON.parse(line.slice("data:".length).trim());
  if (name === "connected") await sayAll();
  if (name === "flag.updated" && data.flag_key === flag) await sayOne(flag);
}

const stream = await fetch(`${baseUrl}/v1/sse/${environment}`, { headers: { Authorization }, signal: ending.signal });
if (!stream.ok) throw new Error(`HTTP ${stream.status}`);
const decoder = new TextDecoder();
let rest = "";
try {
  for await (const piece of stream.body) {
    const found = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = found.pop();
    let name = "";
    for (const line of found) {
      if (line.startsWith("event:")) name = line.slice("event:".length).trim();
      await heard(line, name);
    }
  }
} catch (error) {
  if (!ending.signal.aborted) throw error;
}
