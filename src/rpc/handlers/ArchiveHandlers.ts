import { Effect, Stream } from "effect"
import { Maintenance } from "../../services/Maintenance.ts"
import { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import { ArchiveRpcs } from "../contract/ArchiveRpcs.ts"
import { counted } from "./CallTally.ts"
import { listed } from "./listed.ts"
import * as payloadPieces from "./payloadPieces.ts"
import { upkeepEvents } from "./upkeepEvents.ts"
import { verifyEvents } from "./verifyEvents.ts"

const make = Effect.gen(function* () {
  const archive = yield* ProvenanceStore
  const maintenance = yield* Maintenance
  const inPieces = (yield* payloadPieces.PayloadPieces) ?? (yield* payloadPieces.make)

  return ArchiveRpcs.of({
    "Archive.sessions": (listing) => counted(listed(listing, archive.sessions)),

    "Archive.requests": ({ before, limit, ...filter }) =>
      counted(listed({ before, limit }, (page) => archive.requests({ ...filter, ...page }))),

    "Archive.responses": ({ before, limit, ...filter }) =>
      counted(listed({ before, limit }, (page) => archive.responses({ ...filter, ...page }))),

    "Archive.session": ({ id }) => archive.session(id),

    "Archive.request": ({ id }) => archive.request(id),

    "Archive.response": ({ id }) => archive.response(id),

    "Archive.replay": (options) =>
      counted(Stream.map(archive.replay(options), ({ call, response }) => ({ call, response }))),

    "Archive.payload": ({ sha256 }) => inPieces(archive.payload(sha256)),

    "Archive.verify": () => verifyEvents(archive.verify),

    "Archive.gc": (options) => upkeepEvents((progress) => maintenance.gc(options, progress)),

    "Archive.compact": () => upkeepEvents(maintenance.compact),

    "Archive.stats": () => archive.stats
  })
})

export const layer = ArchiveRpcs.toLayer(make)
