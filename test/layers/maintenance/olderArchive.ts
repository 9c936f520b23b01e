/** An archive as a release without compression has left it. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { zstdDecompressSync } from "node:zlib"
import { Effect } from "effect"
import { raw } from "../provenance/archive.ts"

const uncompressFiles = (directory: string): void => {
  for (const name of readdirSync(join(directory, "responses"), { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".zst")) continue
    const path = join(directory, "responses", name)
    writeFileSync(path.replace(/zst$/, "bin"), zstdDecompressSync(readFileSync(path)))
    rmSync(path)
  }
}

/** Of an archive that is closed. */
export const makeOlder = (directory: string) =>
  Effect.andThen(
    Effect.sync(() => uncompressFiles(directory)),
    raw(directory, (db) => {
      const rows = db.prepare<[], { id: number; body: Uint8Array | null; encoding: number }>(
        "select id, body, encoding from payloads"
      )
      for (const { body, encoding, id } of rows.all()) {
        const plain = body !== null && encoding === 1 ? zstdDecompressSync(body) : body
        db.prepare("update payloads set body = ?, encoding = null, stored = null where id = ?").run(plain, id)
      }
      db.prepare("update tallies set payloads = 0, up_to_payload = 0, payload_bytes = 0, stored_bytes = 0").run()
    })
  )
