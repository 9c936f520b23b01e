/** One thing that `doctor` looked at. A warning does not fail the whole. */
export interface Check {
  readonly name: string
  readonly result: "ok" | "warning" | "failed"
  readonly detail: string
}

export const ok = (name: string, detail: string): Check => ({ name, result: "ok", detail })
export const warning = (name: string, detail: string): Check => ({ name, result: "warning", detail })
export const failed = (name: string, detail: string): Check => ({ name, result: "failed", detail })
