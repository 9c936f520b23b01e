/**
 * What SQLite does in each turn of the event loop, counted in rows: those that statements gave or changed, and pages given back. Unlike the
 * time that a turn takes, this does not depend on what else the machine is busy with.
 *
 * What a statement walks over without giving it is not counted, but its plan is looked at, as it is on that connection at that moment:
 * `scans` has those that walk over a whole table.
 */
import Database from "better-sqlite3"
import { Effect } from "effect"

export interface Turns {
  /** Rows of the turn with the most, and the statements of that turn. */
  readonly most: number
  readonly statements: ReadonlyArray<string>
  /** Every text that was run. */
  readonly texts: ReadonlySet<string>
  /** Each step of a plan that walks over a table from end to end, with the text. */
  readonly scans: ReadonlyArray<string>
}

const statementPrototype: Database.Statement = Object.getPrototypeOf(new Database(":memory:").prepare("select 1"))
const allOf = statementPrototype.all
const vacuumed = /incremental_vacuum\((\d+)\)/

/** Also of the checks of references that SQLite makes for a deletion. */
const scansOf = (statement: Database.Statement): ReadonlyArray<string> => {
  const { database, source } = statement
  if (!/^\s*(select|delete|update|insert)/i.test(source)) return []
  const plan = database.prepare<Array<null>, [number, number, number, string]>(`explain query plan ${source}`).raw()
  return allOf
    .apply(plan, Array(source.match(/\?/g)?.length ?? 0).fill(null))
    .map((row) => String(Array.isArray(row) ? row[3] : row))
    .filter((detail) => /^SCAN (?!CONSTANT|json_each|\d+-ROW|\()/.test(detail))
    .map((detail) => `${detail}: ${source}`)
}

/** Counts while the effect runs; on the main thread alone. */
export const counted = <A, E, R>(use: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const { all, get, run } = statementPrototype
      const { exec, pragma } = Database.prototype
      const texts = new Set<string>()
      let most = 0
      let statements: ReadonlyArray<string> = []
      let rows = 0
      let now: Array<string> = []
      const found: Array<string> = []
      const count = (text: string, more: number, statement?: Database.Statement) => {
        if (statement !== undefined && !texts.has(text)) found.push(...scansOf(statement))
        texts.add(text)
        now.push(text)
        rows += 1 + more
        if (rows <= most) return
        most = rows
        statements = now
      }
      let turn = setImmediate(function next() {
        rows = 0
        now = []
        turn = setImmediate(next)
      })
      statementPrototype.all = function (...params) {
        const rows = all.apply(this, params)
        count(this.source, rows.length, this)
        return rows
      }
      statementPrototype.get = function (...params) {
        count(this.source, 1, this)
        return get.apply(this, params)
      }
      statementPrototype.run = function (...params) {
        const result = run.apply(this, params)
        count(this.source, result.changes, this)
        return result
      }
      Database.prototype.exec = function (text) {
        count(text, Number(vacuumed.exec(text)?.[1] ?? 0))
        return exec.call(this, text)
      }
      Database.prototype.pragma = function (text, options) {
        count(text, 1)
        return pragma.call(this, text, options)
      }
      const end = () => {
        clearImmediate(turn)
        Object.assign(statementPrototype, { all, get, run })
        Object.assign(Database.prototype, { exec, pragma })
      }
      return { end, turns: (): Turns => ({ most, statements, texts, scans: found }) }
    }),
    ({ turns }) => Effect.map(use, (value) => ({ value, ...turns() })),
    ({ end }) => Effect.sync(end)
  )
