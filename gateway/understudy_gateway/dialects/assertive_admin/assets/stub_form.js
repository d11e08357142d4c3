// The guided form that makes a stub: its steps, its preview, what the server says of it, and where that is shown.

import { chosenAction, read, written } from "./stub_payload.js";

const LAST_STEP = 4;

const form = document.getElementById("stub-form");
const at = (id) => document.getElementById(id);
let step = 1;

// --- Steps ----------------------------------------------------------------------------------------------------------

function goTo(number, { focus = true } = {}) {
  step = number;
  for (const fieldset of form.querySelectorAll("fieldset[data-step]")) {
    fieldset.hidden = Number(fieldset.dataset.step) !== step;
  }
  for (const button of form.querySelectorAll("[data-goto]")) {
    if (Number(button.dataset.goto) === step) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
    button.classList.toggle("done", Number(button.dataset.goto) < step);
  }
  at("ui-back").hidden = step === 1;
  at("ui-next").hidden = step === LAST_STEP;
  at("ui-create").hidden = step !== LAST_STEP;
  preview();
  if (focus) form.querySelector(`#step-${step} > legend`).focus();
}

// Leads to a step, or to the first before it that something is wrong in.
function lead(number) {
  const { problems } = read(form);
  const before = [...problems].filter(([control]) => stepOf(control) < number);
  refuse(new Map(before));
  if (before.length === 0) goTo(number);
}

const stepOf = (control) => Number(control.closest("fieldset[data-step]").dataset.step);

function showAction() {
  const action = chosenAction(form);
  for (const part of form.querySelectorAll("[data-action]")) part.hidden = part.dataset.action !== action;
}

function preview() {
  at("ui-preview").textContent = written(read(form).payload);
  const scope = at("ui-scope").value;
  at("ui-review-scope").textContent = scope ? ` in scope ${scope}` : "";
}

// --- What is wrong --------------------------------------------------------------------------------------------------

// Shows problems at their controls, and the others above the form; goes to the first control.
function refuse(problems, others = []) {
  for (const control of form.querySelectorAll("[aria-invalid]")) settle(control);
  const summary = [...others];
  for (const [control, message] of problems) {
    control.setAttribute("aria-invalid", "true");
    control.closest(".field").querySelector(".problem").textContent = message;
  }
  if (problems.size > 0) summary.push(problems.size === 1 ? "One field needs a look." : `${problems.size} fields need a look.`);
  at("ui-form-problem").replaceChildren(...summary.map(paragraph));
  const [first] = [...problems.keys()].sort((one, other) => stepOf(one) - stepOf(other));
  if (!first) return;
  if (stepOf(first) !== step) goTo(stepOf(first), { focus: false });
  const folded = first.closest("details");
  if (folded) folded.open = true;
  first.focus();
}

function settle(control) {
  control.removeAttribute("aria-invalid");
  control.closest(".field").querySelector(".problem").textContent = "";
}

function paragraph(text) {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}

// The API's errors, by the control whose place in the payload is nearest: the place itself, or one that it is inside.
function placed(detail) {
  const problems = new Map();
  const others = [];
  for (const { loc = [], msg = "" } of detail) {
    const place = loc.slice(1).join(".");
    const message = msg.replace(/^Value error, /, "");
    const control = nearest(place);
    if (control) problems.set(control, problems.has(control) ? `${problems.get(control)} ${message}` : message);
    else others.push(place ? `${place}: ${message}` : message);
  }
  return [problems, others];
}

function nearest(place) {
  let best = null;
  let length = 0;
  for (const control of form.querySelectorAll("[data-loc]")) {
    for (const loc of control.dataset.loc.split(" ")) {
      if (loc.length > length && `${place}.`.startsWith(`${loc}.`)) [best, length] = [control, loc.length];
    }
  }
  return best;
}

// --- Sending --------------------------------------------------------------------------------------------------------

async function create() {
  const { payload, problems } = read(form);
  refuse(problems);
  if (problems.size > 0) return;
  const headers = new Headers({ "content-type": "application/json" });
  const scope = at("ui-scope").value;
  if (scope) headers.set(scope, headers.get(scope) ?? "1");
  // A browser drops headers it keeps for itself without a word, and the stub would be everybody's.
  if (scope && !new Request(form.dataset.post, { headers }).headers.has(scope)) {
    refuse(new Map([[at("ui-scope"), `Browsers do not let a page send a header named ${scope}. Send this stub by hand.`]]));
    return;
  }
  at("ui-create").disabled = true;
  try {
    const answer = await fetch(form.dataset.post, { method: "POST", headers, body: written(payload) });
    await answered(answer);
  } catch {
    refuse(new Map(), ["The server cannot be reached. The stub may not have been made."]);
  } finally {
    at("ui-create").disabled = false;
  }
}

async function answered(answer) {
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) {
    succeed(said.stub_id);
  } else if (Array.isArray(said.detail)) {
    refuse(...placed(said.detail));
  } else {
    refuse(new Map(), [typeof said.detail === "string" ? said.detail : `The server answered ${answer.status}.`]);
  }
}

function succeed(id) {
  const link = at("ui-created-link");
  link.href = form.dataset.detail + encodeURIComponent(id);
  link.textContent = id;
  form.hidden = true;
  at("ui-created").hidden = false;
  at("ui-created").querySelector("h2").focus();
}

// --- Events of an SSE answer ----------------------------------------------------------------------------------------

function addEvent() {
  const made = at("ui-sse-event").content.cloneNode(true).firstElementChild;
  at("ui-sse-events").append(made);
  numberEvents();
  return made;
}

// Ids, labels and places follow the order, so that an error's place finds its control.
function numberEvents() {
  const events = [...at("ui-sse-events").children];
  events.forEach((event, index) => {
    event.querySelector("legend").textContent = `Event ${index + 1}`;
    event.querySelector("[data-remove]").hidden = events.length === 1;
    for (const element of event.querySelectorAll("*")) {
      for (const { name, value } of [...element.attributes]) {
        if (["id", "for", "aria-describedby"].includes(name)) {
          element.setAttribute(name, value.replace(/ui-sse-(#|\d+)/g, `ui-sse-${index}`));
        } else if (name === "data-loc") {
          element.setAttribute(name, value.replace(/events\.(#|\d+)/g, `events.${index}`));
        }
      }
    }
  });
}

// --- Start ----------------------------------------------------------------------------------------------------------

// Adds a header line, or puts it in the place of the one of that name.
function addLine(button) {
  const area = at(button.dataset.targetTextarea);
  const nameOf = (line) => line.split(":")[0].trim().toLowerCase();
  const lines = area.value.split("\n").filter((line) => line.trim() !== "");
  const same = lines.findIndex((line) => nameOf(line) === nameOf(button.dataset.line));
  if (same < 0) lines.push(button.dataset.line);
  else lines[same] = button.dataset.line;
  area.value = lines.join("\n");
  area.dispatchEvent(new Event("input", { bubbles: true }));
  area.focus();
}

function clicked({ target }) {
  const button = target.closest("button");
  if (!button) return;
  if (button.dataset.goto) lead(Number(button.dataset.goto));
  else if (button.dataset.targetTextarea) addLine(button);
  else if (button.id === "ui-back") goTo(step - 1);
  else if (button.id === "ui-next") lead(step + 1);
  else if (button.id === "ui-sse-add") addEvent().querySelector("textarea").focus();
  else if (button.hasAttribute("data-remove")) {
    button.closest(".event").remove();
    numberEvents();
    at("ui-sse-add").focus();
  }
  preview();
}

function changed({ target }) {
  if (target.hasAttribute("aria-invalid")) settle(target);
  // Whoever writes a body means it to be asked for.
  const kind = at("ui-request-body-kind");
  if (target.id === "ui-request-body" && target.value !== "" && kind.value === "") kind.value = "text";
  showAction();
  preview();
}

function start() {
  addEvent();
  const scope = new URLSearchParams(location.search).get("scope");
  if (scope && [...at("ui-scope").options].some((option) => option.value === scope)) at("ui-scope").value = scope;
  showAction();
  goTo(1, { focus: false });
  form.dataset.ready = "";
  form.addEventListener("click", clicked);
  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (step < LAST_STEP) lead(step + 1);
    else create();
  });
}

start();
