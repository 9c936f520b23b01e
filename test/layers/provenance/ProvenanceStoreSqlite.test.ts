import { Effect, Layer } from "effect"
import * as ProvenanceStoreSqlite from "../../../src/layers/provenance/ProvenanceStoreSqlite.ts"
import { suite } from "../../services/ProvenanceStore.contract.ts"
import { platform, temporaryDirectory } from "./temporary.ts"

suite("SQLite and files", () =>
  Layer.unwrap(Effect.map(temporaryDirectory, (directory) => ProvenanceStoreSqlite.layer({ directory }))).pipe(
    Layer.provide(platform),
    Layer.orDie,
    Layer.fresh
  ))
