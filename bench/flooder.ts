/** A hostile client: sends requests as fast as the socket takes them and never reads an answer. `flooder URL TOKEN` */
import { firstReply, helloText } from "./process.js";

const [url = "", token = ""] = process.argv.slice(2);
const { socket } = await firstReply(url, helloText(token));
socket.pause();
let id = 0;
const flood = (): void => {
  for (let burst = 0; burst < 500 && socket.bufferedAmount < 4_000_000; burst++) {
    socket.send(`{"jsonrpc":"2.0","id":${++id},"method":"devices.list","params":{}}`);
  }
  setImmediate(flood);
};
process.stdout.write("flooding\n");
flood();
