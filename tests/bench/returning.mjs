// The pages' own connections, many in one Node: node returning.mjs MODULE FOLDER_WITH_WS {"port", "tokens"}.
// Says "connected" once all are, then, once all came back from a cut, when each did (milliseconds since 1970).
import { get } from "node:http";
import { createRequire } from "node:module";

const [, , module, modules, given] = process.argv;
globalThis.WebSocket = createRequire(`${modules}/`)("ws").WebSocket;
globalThis.location = { href: "http://127.0.0.1/" };
const { Connection } = await import(module);
const { port, tokens } = JSON.parse(given);
const socketUrl = `ws://127.0.0.1:${port}/ws/live`;
const base = socketUrl.replace("ws:", "http:").replace("/ws/live", "/tokens?count=0");
const back = new Map();
let welcomed = 0;

const connections = tokens.map((token, number) => {
  // a page joins over HTTP before it opens the socket: here a request that costs nothing, over the same line
  const join = () => new Promise((resolve, reject) => {
    const request = get(base, { agent: false }, (response) => response.resume().on("end", () => resolve({ token, socketUrl })));
    request.on("error", (error) => reject(new TypeError(error.message)));
  });
  let cut = false;
  const listener = {
    changed() {
      if (connection.phase === "reconnecting") cut = true;
    },
    received(message) {
      if (message.t !== "welcome" && message.t !== "resumed") return;
      if (!cut && ++welcomed === tokens.length) console.log("connected");
      if (cut) back.set(number, Date.now());
      if (back.size === tokens.length) {
        console.log(JSON.stringify([...back.values()]));
        process.exit(0);
      }
    },
  };
  const env = { now: () => Date.now(), random: Math.random, id: () => `${Math.random()}`, open: (url, protocol) => quiet(new WebSocket(url, protocol)) };
  const connection = new Connection(join, `device ${number}`, listener, env);
  return connection;
});
for (const connection of connections) connection.start();

/** A browser's socket does not throw when nobody answers. */
function quiet(socket) {
  socket.on("error", () => {});
  return socket;
}
