import { Effect } from "effect"
import { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import { ArchiveRpcs } from "../contract/ArchiveRpcs.ts"
import { counted } from "./CallTally.ts"
import { listed } from "./listed.ts"
import * as payloadPieces from "./payloadPieces.ts"
import { verifyEvents } from "./verifyEvents.ts"

const make = Effect.gen(function* () {
  const archive = yield* ProvenanceStore
  const inPieces = yield* payloadPieces.make

  return ArchiveRpcs.of({
    "Archive.sessions": (listing) => counted(listed(listing, archive.sessions)),

    "Archive.requests": ({ before, limit, ...filter }) =>
      counted(listed({ before, limit }, (page) => archive.requests({ ...filter, ...page }))),

    "Archive.responses": ({ before, limit, ...filter }) =>
      counted(listed({ before, limit }, (page) => archive.responses({ ...filter, ...page }))),

    "Archive.session": ({ id }) => archive.session(id),

    "Archive.request": ({ id }) => archive.request(id),

    "Archive.response": ({ id }) => archive.response(id),

    "Archive.payload": ({ sha256 }) => inPieces(archive.payload(sha256)),

    "Archive.verify": () => verifyEvents(archive.verify),

    "Archive.stats": () => archive.stats
  })
})

export const layer = ArchiveRpcs.toLayer(make)
