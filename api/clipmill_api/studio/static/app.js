// The dashboard: sign-in by key, the list of compilations, and updates by server-sent events.
// Text of users is only set as textContent. The key is kept in sessionStorage, for this tab alone.

const TERMINAL_STATES = ["Succeeded", "Failed", "Cancelled", "Superseded"];
const byId = (id) => document.getElementById(id);
const cards = new Map();
let key = sessionStorage.getItem("key") ?? "";
let cursor = null;

async function request(path, options = {}) {
  const headers = { Authorization: `Bearer ${key}`, ...options.headers };
  const response = await fetch(path, { ...options, headers });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({ detail: response.statusText }));
  throw Object.assign(new Error(problem.detail), { status: response.status });
}

const json = async (path) => (await request(path)).json();

// --- numbers -----------------------------------------------------------------------------------

function formatBytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = count > 0 ? Math.min(4, Math.floor(Math.log10(count) / 3)) : 0;
  return `${(count / 1000 ** step).toFixed(step ? 1 : 0)} ${units[step]}`;
}

function formatDuration(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function showUsage(name, used, limit, format) {
  const bar = byId(name);
  bar.max = limit || 1;
  bar.value = limit === null ? 0 : limit === 0 ? 1 : used;
  byId(`${name}-text`).textContent =
    limit === null ? `${format(used)}, no limit` : `${format(used)} of ${format(limit)}`;
}

async function showAccount() {
  const quota = await json("/api/quota");
  byId("owner").textContent = `${quota.owner} · ${quota.tier}`;
  const renderSeconds = quota.renderUsedSeconds + quota.renderReservedSeconds;
  showUsage("render", renderSeconds, quota.renderLimitSeconds, formatDuration);
  showUsage("storage", quota.storageUsedBytes, quota.storageLimitBytes, formatBytes);
}

// --- one compilation ---------------------------------------------------------------------------

function cardOf(view) {
  const existing = cards.get(view.id);
  if (existing) return existing;
  const card = byId("card").content.firstElementChild.cloneNode(true);
  cards.set(view.id, card);
  return card;
}

function show(view) {
  const card = cardOf(view);
  const element = (name) => card.querySelector(`.${name}`);
  card.dataset.state = view.state;
  card.dataset.id = view.id;
  element("name").textContent = view.name;
  const state = view.reason === "Queued" ? "Queued" : view.state;
  element("state").textContent = view.degraded ? `${state}, degraded` : state;
  element("percent").value = view.percent;
  element("percent").hidden = view.state !== "Succeeded" && TERMINAL_STATES.includes(view.state);
  element("message").textContent = view.message ?? (TERMINAL_STATES.includes(view.state) ? "" : view.log.at(-1) ?? "");
  showClips(card, view.clips);
  if (view.outputs.length && !element("outputs").childElementCount) {
    element("outputs").append(...view.outputs.map((output) => outputFigure(view, output)));
  }
  return card;
}

function showClips(card, clips) {
  const skipped = clips.filter((clip) => clip.state === "Skipped").length;
  const count = clips.length === 1 ? "1 clip" : `${clips.length} clips`;
  card.querySelector("summary").textContent = skipped ? `${count}, ${skipped} skipped` : count;
  card.querySelector(".clips").replaceChildren(...clips.map((clip) => {
    const line = document.createElement("li");
    line.dataset.state = clip.state;
    const message = clip.message ? `: ${clip.message}` : "";
    line.textContent = `${clip.name} · ${clip.state}${clip.reason ? ` (${clip.reason}${message})` : ""}`;
    return line;
  }));
}

function outputFigure(view, output) {
  const figure = byId("output").content.firstElementChild.cloneNode(true);
  const path = `/api/compilations/${view.id}/outputs/${output.name}`;
  const size = output.sizeBytes ? `, ${formatBytes(output.sizeBytes)}` : "";
  figure.querySelector(".facts").textContent =
    `${output.name} · ${formatDuration(output.durationUs / 1e6)}${size}`;
  const filename = `${view.name}-${output.name}.${output.container}`;
  figure.querySelector(".download").addEventListener("click", () => download(path, filename));
  figure.querySelector(".play").addEventListener("click", () => play(figure, path));
  if (output.storyboardId) showStoryboard(figure.querySelector(".storyboard"), `${path}-storyboard.png`, view.name);
  return figure;
}

async function showStoryboard(image, path, name) {
  const blob = await (await request(path)).blob();
  image.src = URL.createObjectURL(blob);
  image.alt = `Storyboard of ${name}`;
  image.hidden = false;
}

// A <video> element sends no header: it plays from a link that expires, by ranges.
async function play(figure, path) {
  const link = await (await request(`${path}/share`, { method: "POST" })).json();
  const video = figure.querySelector("video");
  video.src = new URL(link.url, location.href).pathname + new URL(link.url, location.href).search;
  video.hidden = false;
  figure.querySelector(".storyboard").hidden = true;
  figure.querySelector(".play").hidden = true;
  await video.play().catch(() => {});
}

async function download(path, filename) {
  const url = URL.createObjectURL(await (await request(path)).blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = filename;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// --- events: EventSource cannot send headers, so fetch reads the stream --------------------------

let lastEvent = "";

async function follow() {
  const headers = lastEvent ? { "Last-Event-ID": lastEvent } : {};
  const response = await request("/api/events", { headers });
  const chunks = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await chunks.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    events.map(fieldsOf).forEach(onEvent);
  }
}

function fieldsOf(text) {
  const lines = text.split("\n").filter((line) => line.includes(": "));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]));
}

function onEvent({ id, event, data }) {
  lastEvent = id ?? lastEvent;
  if (event === "compilation") onView(JSON.parse(data));
  if (event === "deleted") removeCard(JSON.parse(data).id);
}

function onView(view) {
  const before = cards.get(view.id)?.dataset.state;
  const card = show(view);
  if (!before) byId("list").prepend(card);
  byId("empty").hidden = true;
  if (before !== view.state && TERMINAL_STATES.includes(view.state)) showAccount();
}

function removeCard(id) {
  cards.get(id)?.remove();
  cards.delete(id);
  byId("empty").hidden = cards.size > 0;
}

// One stream for the whole list: a browser opens few connections to a host.
async function watch() {
  for (let wait = 1000; ; wait = Math.min(wait * 2, 30_000)) {
    try {
      await follow();
      wait = 500;
    } catch (error) {
      if (error.status === 401) return;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

// --- the list ------------------------------------------------------------------------------------

async function loadPage() {
  const after = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
  const page = await json(`/api/compilations?limit=20${after}`);
  cursor = page.next;
  byId("more").hidden = !cursor;
  for (const view of page.items) byId("list").append(show(view));
  byId("empty").hidden = cards.size > 0;
}

function signOut() {
  sessionStorage.removeItem("key");
  location.reload();
}

async function signIn() {
  try {
    await showAccount();
    await loadPage();
    watch();
    sessionStorage.setItem("key", key);
    byId("enter").hidden = true;
    byId("account").hidden = false;
  } catch (error) {
    sessionStorage.removeItem("key");
    byId("enter").hidden = false;
    byId("refused").textContent = key ? error.message : "";
  }
}

// A link of `clipmill serve` has a code behind the #, which no request and no log contains.
async function exchangeCode(code) {
  history.replaceState(null, "", location.pathname);
  key = code;
  try {
    key = (await (await request("/api/session", { method: "POST" })).json()).key;
  } catch (error) {
    key = "";
    byId("refused").textContent = error.message;
  }
}

byId("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  key = byId("key").value.trim();
  byId("key").value = "";
  signIn();
});
byId("leave").addEventListener("click", signOut);
byId("more").addEventListener("click", loadPage);
// A link that is opened in the tab of the dashboard changes what follows the # only.
addEventListener("hashchange", () => location.reload());
const code = location.hash.startsWith("#sign-in=") ? location.hash.slice("#sign-in=".length) : "";
if (code) await exchangeCode(code);
if (key) signIn();
else byId("enter").hidden = false;
