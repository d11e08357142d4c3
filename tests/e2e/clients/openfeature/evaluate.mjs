// Evaluates flags with the published SDKs of OpenFeature and their OFREP providers, as an app would.
//
// In: `{"baseUrl", "clients": [{"headers", "web", "context", "asks": [{"kind", "key", "default", "context"}]}]}`, as JSON.
// Out: for each client the details of what it asked for; of one of the web also the statuses of what it fetched.
// All clients ask at the same time.
import { text } from "node:stream/consumers";

import { OFREPProvider } from "@openfeature/ofrep-provider";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { OpenFeature } from "@openfeature/server-sdk";
import { OpenFeature as OpenFeatureWeb } from "@openfeature/web-sdk";

const detailsOf = {
  boolean: "getBooleanDetails",
  string: "getStringDetails",
  number: "getNumberDetails",
  object: "getObjectDetails",
};

async function onServer(baseUrl, { headers, asks }, domain) {
  const provider = new OFREPProvider({ baseUrl, headersFactory: () => Object.entries(headers) });
  await OpenFeature.setProviderAndWait(domain, provider);
  const client = OpenFeature.getClient(domain);
  const answers = asks.map((ask) => client[detailsOf[ask.kind]](ask.key, ask.default, ask.context ?? {}));
  return { details: await Promise.all(answers) };
}

async function inTheWeb(baseUrl, { headers, context, asks }, domain) {
  const statuses = [];
  const fetchImplementation = async (request, options) => {
    const answer = await fetch(request, options);
    statuses.push(answer.status);
    return answer;
  };
  const provider = new OFREPWebProvider({
    baseUrl,
    fetchImplementation,
    headers: Object.entries(headers),
    cacheMode: "disabled",
    changeDetection: "none",
  });
  await OpenFeatureWeb.setContext(domain, context ?? {});
  await OpenFeatureWeb.setProviderAndWait(domain, provider);
  const client = OpenFeatureWeb.getClient(domain);
  const details = asks.map((ask) => client[detailsOf[ask.kind]](ask.key, ask.default));
  // Whose context has changed fetches again, whatever it has.
  await OpenFeatureWeb.setContext(domain, { ...context, again: true });
  return { details, statuses };
}

const { baseUrl, clients } = JSON.parse(await text(process.stdin));
const playing = clients.map((each, number) => (each.web ? inTheWeb : onServer)(baseUrl, each, `client-${number}`));
process.stdout.write(JSON.stringify(await Promise.all(playing)));
await OpenFeature.close();
await OpenFeatureWeb.close();
