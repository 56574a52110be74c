// The peer of the signaling benchmark: Node with `ws`, the usual loop. Every message of one client goes to all
// clients, and the sender gets an answer. No types, no rules, no journal. GET /cpu answers the CPU microseconds used.
import { createServer } from "node:http";
import { createRequire } from "node:module";

const { WebSocketServer } = createRequire(`${process.argv[2]}/`)("ws");
const event = Buffer.alloc(Number(process.argv[3]), 120);
const answer = Buffer.alloc(24, 120);

const http = createServer((_request, response) => {
  const used = process.cpuUsage();
  response.end(String(used.user + used.system));
});
const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
sockets.on("connection", (socket) => {
  socket.on("message", () => {
    for (const client of sockets.clients) client.send(event);
    socket.send(answer);
  });
});
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
