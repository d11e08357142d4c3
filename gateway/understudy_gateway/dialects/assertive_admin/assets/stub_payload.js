// The form's fields as the JSON that is sent. Nothing here changes the page.

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

// JSON as it was typed: 1.0 and numbers of twenty digits are not what JavaScript would make of them.
class Typed {
  constructor(text) {
    this.text = text;
  }
}

// Returns the payload, which written() writes, and a Map from control to what is wrong with it.
export function read(form) {
  const problems = new Map();
  const reading = new Reading(form, problems);
  const chaos = reading.chaos();
  const payload = { request: reading.request(), action: reading.action() };
  const calls = reading.number("ui-max-calls");
  if (calls !== undefined) payload.max_calls = calls;
  if (Object.keys(chaos).length > 0) payload.chaos = chaos;
  return { payload, problems };
}

// A payload as indented JSON.
export function written(value, indent = "") {
  if (value instanceof Typed) return value.text.trim().replaceAll("\n", `\n${indent}`);
  const isList = Array.isArray(value);
  if (!isList && (typeof value !== "object" || value === null)) return JSON.stringify(value);
  const inner = `${indent}  `;
  const parts = Object.entries(value).map(([name, each]) => {
    const text = written(each, inner);
    return inner + (isList ? text : `${JSON.stringify(name)}: ${text}`);
  });
  const [open, close] = isList ? "[]" : "{}";
  return parts.length === 0 ? open + close : `${open}\n${parts.join(",\n")}\n${indent}${close}`;
}

export function chosenAction(form) {
  return form.querySelector("input[name=action]:checked").value;
}

class Reading {
  constructor(form, problems) {
    this.form = form;
    this.problems = problems;
  }

  request() {
    return present({
      method: this.text("ui-request-method"),
      path: this.path(),
      host: this.text("ui-request-host"),
      query: nonEmpty(this.query()),
      headers: nonEmpty(this.headers("ui-request-headers", (name) => name.toLowerCase())),
      body: this.body(),
    });
  }

  path() {
    const text = this.text("ui-request-path");
    if (text === undefined) return undefined;
    return this.raw("ui-request-path-kind") === "regex" ? { $regex: { pattern: text } } : text;
  }

  query() {
    return this.lines("ui-request-query", (line) => {
      const at = line.indexOf("=");
      return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
    });
  }

  body() {
    const text = this.raw("ui-request-body");
    switch (this.raw("ui-request-body-kind")) {
      case "text":
        return text;
      case "json":
        return { $json: { inner_criteria: { $eq: { value: this.json("ui-request-body") } } } };
      case "criterion":
        return this.json("ui-request-body");
      default:
        return undefined;
    }
  }

  action() {
    const kind = chosenAction(this.form);
    return { [kind]: this[kind]() };
  }

  response() {
    const kind = this.raw("ui-response-body-kind");
    const text = this.raw("ui-response-body");
    return {
      status_code: this.number("ui-response-status"),
      headers: this.headers("ui-response-headers"),
      ...(kind === "template" ? { template_body: text } : { body: kind === "json" ? this.json("ui-response-body") : text }),
    };
  }

  proxy() {
    return present({
      url: this.text("ui-proxy-url") ?? "",
      headers: nonEmpty(this.headers("ui-proxy-headers")),
      timeout: this.number("ui-proxy-timeout"),
    });
  }

  sse() {
    const events = [...this.form.querySelectorAll("#ui-sse-events > .event")].map((event) => {
      const part = (name) => event.querySelector(`[data-part=${name}]`).id;
      return present({
        data: this.raw(part("data")),
        event: this.text(part("event")),
        id: this.text(part("id")),
        retry: this.number(part("retry")),
        delay_ms: this.number(part("delay_ms")),
      });
    });
    return present({ events, default_delay_ms: this.number("ui-sse-default-delay-ms") });
  }

  chaos() {
    const latency = present({
      base_ms: this.number("ui-chaos-delay-ms"),
      jitter_ms: this.number("ui-chaos-jitter-ms"),
    });
    const probability = this.number("ui-chaos-drop-probability");
    return present({
      latency: nonEmpty(latency),
      faults: probability === undefined ? undefined : { connection_drop: { probability } },
    });
  }

  control(id) {
    const control = document.getElementById(id);
    if (!control.checkValidity()) this.problems.set(control, control.validationMessage);
    return control;
  }

  raw(id) {
    return this.control(id).value;
  }

  text(id) {
    const text = this.raw(id).trim();
    return text === "" ? undefined : text;
  }

  number(id) {
    const { value } = this.control(id);
    return value === "" ? undefined : Number(value);
  }

  json(id) {
    const control = this.control(id);
    try {
      JSON.parse(control.value);
    } catch (error) {
      this.problems.set(control, `This is not JSON: ${error.message}`);
    }
    return new Typed(control.value);
  }

  headers(id, spell = (name) => name) {
    return this.lines(id, (line) => {
      const at = line.indexOf(":");
      if (at < 0) throw new Error(`“${line}” has no colon. Write name: value.`);
      const name = line.slice(0, at).trim();
      if (!HEADER_NAME.test(name)) throw new Error(`“${name}” cannot be the name of a header.`);
      return [spell(name), line.slice(at + 1).trim()];
    });
  }

  lines(id, split) {
    const control = this.control(id);
    const pairs = new Map();
    try {
      for (const line of control.value.split("\n").map((each) => each.trim())) {
        if (line === "") continue;
        const [name, value] = split(line);
        if (pairs.has(name)) throw new Error(`“${name}” is given twice.`);
        pairs.set(name, value);
      }
    } catch (error) {
      this.problems.set(control, error.message);
    }
    return Object.fromEntries(pairs);
  }
}

function present(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function nonEmpty(values) {
  return Object.keys(values).length > 0 ? values : undefined;
}
