/**
 * What a check of an export found.
 *
 * `problems` is empty for an export that is as it was written. `notes` say what could not be checked, and why. `archive` is null
 * where no archive was at hand.
 */
export interface ExportReport {
  readonly directory: string
  readonly files: number
  readonly bytes: number
  readonly rows: number
  /** True when the export itself says that parts of its ranges could not be had; null when that cannot be read. */
  readonly complete: boolean | null
  readonly archive: { readonly responses: number; readonly rows: number } | null
  readonly problems: ReadonlyArray<ExportProblem>
  readonly notes: ReadonlyArray<string>
}

/**
 * One thing that is wrong: in which file of the directory, in which row (from 1) and at which byte of the file (from 0), where that is
 * known.
 */
export interface ExportProblem {
  readonly file: string
  readonly row: number | null
  readonly byte: number | null
  readonly message: string
}

/** Problems of one kind in one file are named up to this many times, and counted beyond. */
const named = 20

/** Problems as they are found; those of a file beyond the first twenty are counted. */
export class ProblemList {
  private readonly all: Array<ExportProblem> = []
  private readonly counts = new Map<string, number>()

  add(file: string, message: string, at: { readonly row?: number | null; readonly byte?: number | null } = {}): void {
    const count = (this.counts.get(file) ?? 0) + 1
    this.counts.set(file, count)
    if (count <= named) this.all.push({ file, row: at.row ?? null, byte: at.byte ?? null, message })
  }

  has(file: string): boolean {
    return this.counts.has(file)
  }

  list(): ReadonlyArray<ExportProblem> {
    const more = [...this.counts].filter(([, count]) => count > named)
    return [
      ...this.all,
      ...more.map(([file, count]) => ({ file, row: null, byte: null, message: `and ${count - named} more problems` }))
    ]
  }
}
