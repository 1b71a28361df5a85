// The dashboard: a key, the list, and each running compilation followed by server-sent events.
// Text of users is only ever set as textContent. The key lives in this tab (sessionStorage).

const ENDS = ["Succeeded", "Failed", "Cancelled", "Superseded"];
const byId = (id) => document.getElementById(id);
const cards = new Map();
let key = sessionStorage.getItem("key") ?? "";
let cursor = null;

async function ask(path, options = {}) {
  const headers = { Authorization: `Bearer ${key}`, ...options.headers };
  const reply = await fetch(path, { ...options, headers });
  if (reply.ok) return reply;
  const problem = await reply.json().catch(() => ({ detail: reply.statusText }));
  throw Object.assign(new Error(problem.detail), { status: reply.status });
}

const json = async (path) => (await ask(path)).json();

// --- numbers as people read them ---------------------------------------------------------------

function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = count > 0 ? Math.min(4, Math.floor(Math.log10(count) / 3)) : 0;
  return `${(count / 1000 ** step).toFixed(step ? 1 : 0)} ${units[step]}`;
}

function clock(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function gauge(name, used, limit, form) {
  const bar = byId(name);
  bar.max = limit || 1;
  bar.value = limit === null ? 0 : limit === 0 ? 1 : used;
  byId(`${name}-text`).textContent =
    limit === null ? `${form(used)}, no limit` : `${form(used)} of ${form(limit)}`;
}

async function account() {
  const now = await json("/api/quota");
  byId("owner").textContent = `${now.owner} · ${now.tier}`;
  gauge("render", now.renderUsedSeconds + now.renderReservedSeconds, now.renderLimitSeconds, clock);
  gauge("storage", now.storageUsedBytes, now.storageLimitBytes, bytes);
}

// --- one compilation ---------------------------------------------------------------------------

function card(view) {
  const known = cards.get(view.id);
  if (known) return known;
  const made = byId("card").content.firstElementChild.cloneNode(true);
  cards.set(view.id, made);
  return made;
}

function show(view) {
  const made = card(view);
  const part = (name) => made.querySelector(`.${name}`);
  made.dataset.state = view.state;
  made.dataset.id = view.id;
  part("name").textContent = view.name;
  part("state").textContent = view.degraded ? `${view.state}, degraded` : view.state;
  part("percent").value = view.percent;
  part("percent").hidden = view.state !== "Succeeded" && ENDS.includes(view.state);
  part("message").textContent = view.message ?? (ENDS.includes(view.state) ? "" : view.log.at(-1) ?? "");
  clips(made, view.clips);
  if (view.outputs.length && !part("outputs").childElementCount) {
    part("outputs").append(...view.outputs.map((output) => outputOf(view, output)));
  }
  return made;
}

function clips(made, given) {
  const skipped = given.filter((clip) => clip.state === "Skipped").length;
  const count = given.length === 1 ? "1 clip" : `${given.length} clips`;
  made.querySelector("summary").textContent = skipped ? `${count}, ${skipped} skipped` : count;
  made.querySelector(".clips").replaceChildren(...given.map((clip) => {
    const line = document.createElement("li");
    line.dataset.state = clip.state;
    const said = clip.message ? `: ${clip.message}` : "";
    line.textContent = `${clip.name} · ${clip.state}${clip.reason ? ` (${clip.reason}${said})` : ""}`;
    return line;
  }));
}

function outputOf(view, output) {
  const made = byId("output").content.firstElementChild.cloneNode(true);
  const where = `/api/compilations/${view.id}/outputs/${output.name}`;
  const size = output.sizeBytes ? `, ${bytes(output.sizeBytes)}` : "";
  made.querySelector(".facts").textContent =
    `${output.name} · ${clock(output.durationUs / 1e6)}${size}`;
  made.querySelector(".download").addEventListener("click", () => save(where, `${view.name}-${output.name}.${output.container}`));
  if (output.storyboardId) picture(made.querySelector(".storyboard"), `${where}-storyboard.png`, view.name);
  return made;
}

async function picture(image, where, name) {
  const blob = await (await ask(where)).blob();
  image.src = URL.createObjectURL(blob);
  image.alt = `Storyboard of ${name}`;
  image.hidden = false;
}

async function save(where, name) {
  const url = URL.createObjectURL(await (await ask(where)).blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// --- following: EventSource sends no headers, so the stream is read by fetch ---------------------

async function follow(id) {
  const reply = await ask(`/api/compilations/${id}/events`);
  const lines = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await lines.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = event.split("\n").find((line) => line.startsWith("data: "));
      if (data) show(JSON.parse(data.slice(6)));
    }
  }
}

async function watch(id) {
  for (let wait = 1000; cards.has(id); wait = Math.min(wait * 2, 30_000)) {
    try {
      await follow(id);
    } catch (error) {
      if (error.status) return;
    }
    if (ENDS.includes(cards.get(id)?.dataset.state)) return account();
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

// --- the list ------------------------------------------------------------------------------------

async function page() {
  const after = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
  const found = await json(`/api/compilations?limit=20${after}`);
  cursor = found.next;
  byId("more").hidden = !cursor;
  for (const view of found.items) {
    byId("list").append(show(view));
    if (!ENDS.includes(view.state)) watch(view.id);
  }
  byId("empty").hidden = cards.size > 0;
}

function leave() {
  sessionStorage.removeItem("key");
  location.reload();
}

async function enter() {
  try {
    await account();
    await page();
    sessionStorage.setItem("key", key);
    byId("enter").hidden = true;
    byId("account").hidden = false;
  } catch (error) {
    sessionStorage.removeItem("key");
    byId("enter").hidden = false;
    byId("refused").textContent = key ? error.message : "";
  }
}

byId("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  key = byId("key").value.trim();
  byId("key").value = "";
  enter();
});
byId("leave").addEventListener("click", leave);
byId("more").addEventListener("click", page);
if (key) enter();
else byId("enter").hidden = false;
