// Plays calls with Node's fetch: a line in, a line out, as tests/support/calls.py says.
import { createInterface } from "node:readline";

const GIVES_UP_MS = 30_000;
const PIECE_BYTES = 7_000;

const coded = (bytes) => Buffer.from(bytes).toString("base64");

function inPieces(body) {
  let start = 0;
  return new ReadableStream({
    pull(controller) {
      if (start >= body.length) return controller.close();
      controller.enqueue(body.subarray(start, (start += PIECE_BYTES)));
    },
  });
}

async function play(line) {
  const [method, url, headerText, bodyText, framing] = line.split("\t");
  const lines = Buffer.from(headerText, "base64").toString().split("\n").filter(Boolean);
  const body = Buffer.from(bodyText, "base64");
  const answer = await fetch(url, {
    method,
    headers: lines.map((each) => [each.slice(0, each.indexOf(": ")), each.slice(each.indexOf(": ") + 2)]),
    body: { none: undefined, length: body, chunked: inPieces(body) }[framing],
    duplex: framing === "chunked" ? "half" : undefined,
    redirect: "manual",
    signal: AbortSignal.timeout(GIVES_UP_MS),
  });
  const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  return [answer.status, coded(headers), coded(await answer.arrayBuffer())].join("\t");
}

for await (const line of createInterface({ input: process.stdin })) {
  const said = await play(line).catch((error) => `error\t${coded(`${error} ${error.cause ?? ""}`)}`);
  process.stdout.write(`${said}\n`);
}
