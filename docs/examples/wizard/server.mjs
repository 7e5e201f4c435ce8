// Serves the example, and passes /taskd/ on to the bridge, with the access token added here so that
// no browser ever has it. Node alone, no packages:
//   node server.mjs --port 3000 --bridge http://127.0.0.1:3080 --token-file bridge.token
import { readFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { extname } from "node:path";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "3000" },
    bridge: { type: "string", default: "http://127.0.0.1:3080" },
    "token-file": { type: "string" },
  },
});
const bridge = new URL(options.bridge);
const token = options["token-file"] && (await readFile(options["token-file"], "utf8")).trim();
const prefix = "/taskd/";

const TYPES = { ".html": "text/html", ".css": "text/css", ".js": "text/javascript" };
const FILES = { "/": "index.html", "/wizard.js": "wizard.js", "/wizard.css": "wizard.css" };
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:";

// The Host goes on as it came: the bridge refuses foreign pages and names that were rebound to us.
// Who it was is said in X-Forwarded-For: believed where `proxies` in [bridge] names this host.
function passOn(incoming) {
  const { forwarded: _unsaid, ...headers } = incoming.headers;
  const known = headers["x-forwarded-for"];
  headers["x-forwarded-for"] = `${known ? `${known}, ` : ""}${incoming.socket.remoteAddress}`;
  if (token) headers.authorization = `Bearer ${token}`;
  const path = incoming.url.slice(prefix.length - 1);
  return request({ host: bridge.hostname, port: bridge.port, method: incoming.method, path, headers });
}

const server = createServer(async (incoming, outgoing) => {
  const path = new URL(incoming.url, "http://wizard").pathname;
  if (path.startsWith(prefix)) {
    const onward = passOn(incoming);
    onward.on("response", (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.headersSent || outgoing.writeHead(502).end());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  } else if (FILES[path]) {
    const type = TYPES[extname(FILES[path])];
    outgoing.writeHead(200, { "content-type": type, "content-security-policy": POLICY });
    outgoing.end(await readFile(new URL(FILES[path], import.meta.url)));
  } else outgoing.writeHead(404).end();
});

server.on("upgrade", (incoming, socket, head) => {
  if (!incoming.url.startsWith(prefix)) return socket.destroy();
  const onward = passOn(incoming);
  socket.on("error", () => onward.destroy());
  onward.on("error", () => socket.destroy());
  onward.on("response", () => socket.destroy()); // no upgrade: refused
  onward.on("upgrade", (answer, line, first) => {
    const lines = answer.rawHeaders.flatMap((text, at, all) => (at % 2 ? [] : [`${text}: ${all[at + 1]}`]));
    socket.write(["HTTP/1.1 101 Switching Protocols", ...lines, "", ""].join("\r\n"));
    socket.write(first);
    line.write(head);
    line.on("error", () => socket.destroy());
    socket.on("close", () => line.destroy());
    line.pipe(socket).pipe(line);
  });
  onward.end();
});

server.listen(Number(options.port), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
