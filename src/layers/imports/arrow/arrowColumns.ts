/** Which fields the columns of an Arrow schema are, and whether their types can be taken. */
import { DataType, type Field, type Schema, type Timestamp } from "apache-arrow"
import { Result } from "effect"
import * as Timeframe from "../../../domain/Timeframe.ts"
import type { ImportSpec } from "../../../services/Imports.ts"
import { columnsOf, headerProblem, type Target, targetsOf } from "../importFields.ts"
import { canTake, typeRefusal, type Want } from "./columnReader.ts"

export interface ArrowColumn {
  readonly index: number
  readonly name: string
  readonly target: Exclude<Target, { readonly _tag: "Ignored" }>
  readonly want: Want
}

const wantOf = (spec: ImportSpec, target: ArrowColumn["target"]): Want => {
  switch (target._tag) {
    case "Series":
      return "text"
    case "Stamp":
      return target.nanos ? "nanos" : "stamp"
    case "Cell":
      return columnsOf(spec.kind)[target.index]?.type ?? "text"
  }
}

/** Of bars of a day and longer the stamp is a date, and libraries without a type for dates write those as midnights of no zone. */
const areDates = ({ defaults, kind }: ImportSpec): boolean => {
  const timeframe = Timeframe.Timeframe.literals.find((one) => one === defaults.timeframe)
  return kind === "bar" && timeframe !== undefined && !Timeframe.isIntraday(timeframe)
}

const zoneProblem = (spec: ImportSpec, { name, type }: Field, want: Want): string | null => {
  const stamp = DataType.isDictionary(type) ? type.dictionary : type
  if (!DataType.isTimestamp(stamp) || want === "date" || spec.zoneless === "utc" || areDates(spec)) return null
  const { timezone } = stamp as Timestamp
  return timezone !== null && timezone !== undefined && timezone !== ""
    ? null
    : `the column ${JSON.stringify(name)} is ${String(type)} without a zone, which is no instant; give it one (pandas: .dt.tz_localize("UTC"), Polars: .dt.replace_time_zone("UTC")), or say --assume-utc`
}

/** The columns that are wanted, in their order; a sentence that names the column when one of them cannot be taken. */
export const arrowColumns = (spec: ImportSpec, schema: Schema): Result.Result<ReadonlyArray<ArrowColumn>, string> =>
  // The library makes fields without a name or a type of a schema that is damaged.
  Result.getOrElse(
    Result.try(() => columnsIn(spec, schema)),
    () => Result.fail("its schema cannot be read; write the file again")
  )

const columnsIn = (spec: ImportSpec, { fields }: Schema): Result.Result<ReadonlyArray<ArrowColumn>, string> => {
  const names = fields.map(({ name }) => name)
  const problem = headerProblem(spec, names)
  if (problem !== null) return Result.fail(problem)
  return Result.flatMap(targetsOf(spec, names), (targets) => {
    const columns: Array<ArrowColumn> = []
    for (const [index, field] of fields.entries()) {
      const target = targets[index]
      if (target === undefined || target._tag === "Ignored") continue
      const want = wantOf(spec, target)
      if (!canTake(field.type, want)) return Result.fail(typeRefusal(field.name, field.type, want))
      const zone = zoneProblem(spec, field, want)
      if (zone !== null) return Result.fail(zone)
      columns.push({ index, name: field.name, target, want })
    }
    return Result.succeed(columns)
  })
}
