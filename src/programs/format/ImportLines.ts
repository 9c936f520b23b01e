import type { ImportTally } from "../../layers/imports/importText.ts"
import type { ImportSpec } from "../../services/Imports.ts"
import type { Style } from "../terminal/Style.ts"
import { bytes, counted, duration, grouped } from "./Numbers.ts"

const rate = (count: number, millis: number): number => Math.round((count * 1_000) / Math.max(1, millis))

/** What an import did, as a document. `bytes` are those of the text, unpacked. */
export const importDocument = (
  spec: ImportSpec,
  tally: ImportTally,
  rejects: string | null,
  elapsedMillis: number
) => ({
  name: spec.name,
  kind: spec.kind,
  ...tally,
  rejects,
  elapsedMillis
})

/** The same for people. */
export const importLines = (
  { name }: ImportSpec,
  tally: ImportTally,
  elapsedMillis: number,
  { bold, dim }: Style
): ReadonlyArray<string> => {
  const { inserted, known, rejected, rows, segments, unchanged, updated } = tally
  const parts: ReadonlyArray<readonly [number, string]> = [
    [inserted, "new"],
    [updated, "changed"],
    [unchanged, "unchanged"],
    [known, "imported before"],
    [rejected, "rejected"]
  ]
  const told = parts.filter(([count]) => count > 0).map(([count, what]) => `${grouped(count)} ${what}`)
  return [
    `${bold(name)}: ${counted(rows, "row")}${told.length === 0 ? "" : `: ${told.join(", ")}`}`,
    dim(
      `${bytes(tally.bytes)} in ${counted(segments, "segment")}, ${duration(elapsedMillis)}, ${grouped(rate(rows, elapsedMillis))} rows/s`
    )
  ]
}
