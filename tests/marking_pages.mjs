// The pages' own connections, many in one Node, in one lesson: node marking_pages.mjs MODULE FOLDER_WITH_WS
// {"base", "session", "cookies"}. The first one starts the lesson; then each sets a mark five times a second. Says
// "connected" once all are in, and "stop" on its input makes it say what came of it.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const [, , module, modules, given] = process.argv;
const Socket = createRequire(`${modules}/`)("ws").WebSocket;
const { base, session, cookies } = JSON.parse(given);
globalThis.WebSocket = Socket;
globalThis.location = { href: base };
const { Connection } = await import(module);
const acknowledged = [];
const told = [];
let joins = 0;
let running = true;

const pages = cookies.map((cookie, number) => {
  const page = { back: 0, welcomes: 0 };
  const join = async () => {
    joins += 1;
    const headers = { "X-Tongke": "1", "Content-Type": "application/json", Cookie: cookie };
    const reply = await fetch(`${base}/api/sessions/${session}/join`, { method: "POST", headers });
    if (!reply.ok) throw new Error(`join: ${reply.status}`);
    return reply.json();
  };
  const received = (message) => {
    if (message.t === "moved" || message.t === "closing") told.push({ ...message, page: number });
    if (message.t !== "welcome" && message.t !== "resumed") return;
    page.welcomes += 1;
    page.back = Date.now();
    if (pages.every((other) => other.welcomes === 1)) void begin();
  };
  const open = (url, protocol) => {
    const socket = new Socket(url, protocol);
    // a browser's socket does not throw when nobody answers
    socket.on("error", () => {});
    return socket;
  };
  const env = { now: () => Date.now(), random: Math.random, id: () => `${number}-${Math.random()}`, open };
  page.connection = new Connection(join, `page ${number}`, { changed() {}, received }, env);
  return page;
});
for (const page of pages) page.connection.start();

async function begin() {
  await pages[0].connection.request({ t: "start_lesson" });
  console.log("connected");
  pages.forEach((page, number) => void mark(page, number));
}

async function mark(page, number) {
  for (let count = 0; running; count += 1) {
    const note = `${number}/${count}`;
    await page.connection.request({ t: "mark", note });
    acknowledged.push(note);
    await new Promise((done) => setTimeout(done, 200));
  }
  page.done = true;
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line !== "stop") continue;
  running = false;
  while (!pages.every((page) => page.done)) await new Promise((done) => setTimeout(done, 20));
  console.log(JSON.stringify({ acknowledged, told, joins, back: pages.map((page) => page.back), welcomes: pages.map((page) => page.welcomes) }));
  process.exit(0);
}
