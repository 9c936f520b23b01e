// Serves index.html from beside this file, and the scripts of one directory, on loopback.  node serve.mjs <directory> <port>; prints
// the origin that it got.
import { readFile } from "node:fs/promises"
import { createServer } from "node:http"
import { basename, extname, join } from "node:path"

const [directory = ".", port = "0"] = process.argv.slice(2)
const types = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript"]
])

const server = createServer(async (request, response) => {
  // No directories below this one, and no way above it.
  const name = basename(new URL(request.url ?? "/", "http://page").pathname) || "index.html"
  const type = types.get(extname(name))
  const file = name === "index.html" ? new URL(name, import.meta.url) : join(directory, name)
  const body = type === undefined ? null : await readFile(file).catch(() => null)
  response.writeHead(body === null ? 404 : 200, { "content-type": type ?? "text/plain" }).end(body ?? "not here\n")
})
server.listen(Number(port), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`))
