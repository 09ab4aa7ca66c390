/** The floor: a bare `ws` server that parses each message and answers with a constant result of the given JSON. */
import { type WebSocket, WebSocketServer } from "ws";

const result: unknown = JSON.parse(process.argv[2] ?? "null");
const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
server.on("connection", (socket: WebSocket) => {
  socket.on("message", (bytes: Buffer) => {
    const { id } = JSON.parse(bytes.toString()) as { id: unknown };
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, result }));
  });
});
server.on("listening", () => {
  const address = server.address();
  process.stdout.write(`${typeof address === "object" && address ? address.port : 0}\n`);
});
process.on("disconnect", () => process.exit());
