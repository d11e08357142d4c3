// What every admin page does: its panels renew themselves, its buttons delete, its small forms send JSON.
//
// The hx-* attributes mean what they mean at htmx.org, as far as they are read here: hx-get with hx-trigger
// ("load", "every 3s"), hx-select, hx-swap ("innerHTML", "outerHTML", "none"), hx-target, hx-delete, hx-headers and
// hx-confirm. Three attributes are our own: data-next, where to go after a deletion; data-json-to with data-refresh,
// a form whose fields are sent as JSON, and the panel to renew then; data-keep, an element whose content is a script's.

const PATIENCE_MS = 10_000;

// What a reader or a script has set stays, whatever the server says anew.
const KEPT_ATTRIBUTES = new Set(["open", "aria-invalid", "disabled"]);

const shown = new WeakMap(); // panel → the answer it shows, so that an equal one costs nothing
const turns = new WeakMap(); // panel → the number of its newest change: an answer of an older turn is dropped
const failing = new Map(); // panel → what is wrong with its source
let paused = false;

// An answer is on its way: the panel says so itself.
const isWaiting = (panel) => panel.hasAttribute("aria-busy");
const panels = () => document.querySelectorAll("[hx-get][hx-trigger]");

// --- Panels -----------------------------------------------------------------------------------------------------

function take(panel) {
  const turn = (turns.get(panel) ?? 0) + 1;
  turns.set(panel, turn);
  return turn;
}

async function refresh(panel) {
  const turn = take(panel);
  panel.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(panel.getAttribute("hx-get"), {
      headers: { accept: "text/html" },
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const text = await answer.text();
    if (turns.get(panel) !== turn) return;
    if (answer.ok) show(panel, text);
    report(panel, answer.ok ? "" : `The server answered ${answer.status}. What you see may be old.`);
  } catch {
    if (turns.get(panel) === turn) report(panel, "The server cannot be reached. What you see may be old.");
  } finally {
    if (turns.get(panel) === turn) panel.removeAttribute("aria-busy");
  }
}

function show(panel, text) {
  if (shown.get(panel) === text) return;
  const page = new DOMParser().parseFromString(text, "text/html");
  const selector = panel.getAttribute("hx-select");
  const fresh = selector ? page.querySelector(selector) : page.body;
  if (!fresh) return;
  renewChildren(panel, fresh);
  shown.set(panel, text);
}

function report(panel, problem) {
  if (problem) failing.set(panel, problem);
  else failing.delete(panel);
  const banner = document.getElementById("offline");
  const [first = ""] = failing.values();
  // Written only when it changes: it is read aloud each time.
  if (banner.textContent !== first) banner.textContent = first;
  banner.hidden = first === "";
}

// --- Renewing in place: what is equal stays the same node, and with it focus, selection and what was typed ----------

function renew(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !KEPT_ATTRIBUTES.has(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (!old.hasAttribute("data-keep")) renewChildren(old, fresh);
}

function renewChildren(old, fresh) {
  const here = byKey(old);
  const wanted = byKey(fresh);
  for (const [key, node] of here) if (!wanted.has(key)) node.remove();
  const keys = new Map([...wanted].map(([key, node]) => [node, key]));
  let at = old.firstChild;
  for (const node of [...fresh.childNodes]) {
    const same = keys.has(node) ? here.get(keys.get(node)) : unkeyedLike(node, at);
    if (!same) {
      old.insertBefore(node, at);
      continue;
    }
    if (same === at) at = at.nextSibling;
    else old.insertBefore(same, at);
    renew(same, node);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// Children by their data-key. Equal keys are counted from the last child up: lists grow at the top.
function byKey(parent) {
  const counts = new Map();
  const found = new Map();
  for (const child of [...parent.children].reverse()) {
    const { key } = child.dataset;
    if (key === undefined) continue;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    found.set(`${key} ${counts.get(key)}`, child);
  }
  return found;
}

function unkeyedLike(node, candidate) {
  const alike = candidate?.nodeName === node.nodeName && candidate.id === node.id;
  return alike && candidate.dataset?.key === undefined ? candidate : null;
}

// --- Deleting -----------------------------------------------------------------------------------------------------

async function remove(button) {
  const question = button.getAttribute("hx-confirm");
  if (question && !(await confirmed(question))) return;
  const target = document.querySelector(button.getAttribute("hx-target") ?? "#content");
  button.disabled = true;
  try {
    const headers = JSON.parse(button.getAttribute("hx-headers") ?? "{}");
    const answer = await fetch(button.getAttribute("hx-delete"), { method: "DELETE", headers });
    await removed(button, target, answer, await answer.text());
  } catch {
    notify("The server cannot be reached. Nothing is known to be deleted.");
  } finally {
    button.disabled = false;
  }
  // A button that is gone with its row leaves the focus nowhere.
  if (!button.isConnected) target.querySelector("h2")?.focus();
}

async function removed(button, target, answer, text) {
  notify(answer.ok ? "" : problemIn(answer, text));
  if (answer.ok && button.dataset.next) {
    location.assign(button.dataset.next);
    return;
  }
  // From now on no answer counts that was asked for before.
  take(target);
  target.removeAttribute("aria-busy");
  if (button.getAttribute("hx-swap") !== "none" && isPage(answer)) show(target, withoutAlert(text));
  else if (target.hasAttribute("hx-get")) await refresh(target);
}

// The problem stands in the notice, where the next answer of the panel does not take it away.
function withoutAlert(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  page.querySelector(".error[role=alert]")?.remove();
  return page.body.innerHTML;
}

function confirmed(question) {
  const dialog = document.createElement("dialog");
  const text = document.createElement("p");
  text.id = "question";
  text.textContent = question;
  const buttons = document.createElement("div");
  buttons.className = "dialog-buttons";
  dialog.setAttribute("aria-labelledby", text.id);
  for (const [value, label, kind] of [["", "Cancel", ""], ["yes", "Delete", "danger strong"]]) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", value, textContent: label, className: kind });
    button.addEventListener("click", () => dialog.close(value));
    buttons.append(button);
  }
  dialog.append(text, buttons);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

// --- Small forms ----------------------------------------------------------------------------------------------------

async function send(form) {
  const problem = form.querySelector(".problem");
  const control = form.querySelector("input");
  const refuse = (text) => {
    problem.textContent = text;
    control.setAttribute("aria-invalid", String(text !== ""));
    if (text) control.focus();
  };
  let answer;
  let text;
  try {
    answer = await fetch(form.dataset.jsonTo, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(Object.fromEntries(new FormData(form))),
    });
    text = await answer.text();
  } catch {
    refuse("The server cannot be reached.");
    return;
  }
  refuse(answer.ok ? "" : problemIn(answer, text));
  if (!answer.ok) return;
  form.reset();
  await refresh(document.querySelector(form.dataset.refresh));
}

// --- What is said ---------------------------------------------------------------------------------------------------

const isPage = (answer) => (answer.headers.get("content-type") ?? "").startsWith("text/html");

// The words of an error: of the API's JSON, of a fragment's alert, or its status when there are none.
function problemIn(answer, text) {
  try {
    const { detail } = JSON.parse(text);
    if (typeof detail === "string") return detail;
    if (Array.isArray(detail)) return detail.map((each) => each.msg).join(" ");
  } catch {
    const alert = new DOMParser().parseFromString(text, "text/html").querySelector("[role=alert]:not(:empty)");
    if (isPage(answer) && alert) return alert.textContent;
  }
  return `The server answered ${answer.status}.`;
}

function notify(text) {
  const notice = document.getElementById("notice");
  notice.replaceChildren();
  if (!text) return;
  const close = document.createElement("button");
  Object.assign(close, { type: "button", textContent: "Dismiss" });
  close.addEventListener("click", () => notice.replaceChildren());
  const words = document.createElement("span");
  words.textContent = text;
  notice.append(words, close);
}

// --- Start ----------------------------------------------------------------------------------------------------------

function renewAll() {
  if (document.hidden || paused) return;
  for (const panel of panels()) if (!isWaiting(panel)) refresh(panel);
}

function start() {
  for (const panel of panels()) {
    const trigger = panel.getAttribute("hx-trigger");
    if (/\bload\b/.test(trigger)) refresh(panel);
    const every = /\bevery (\d+)s\b/.exec(trigger);
    if (every) {
      setInterval(() => {
        if (!document.hidden && !paused && !isWaiting(panel)) refresh(panel);
      }, every[1] * 1000);
    }
  }
  document.addEventListener("visibilitychange", renewAll);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[hx-delete]");
    if (button) remove(button);
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-json-to]")) return;
    event.preventDefault();
    send(event.target);
  });
  const pause = document.getElementById("pause");
  pause.hidden = panels().length === 0;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    renewAll();
  });
}

start();
