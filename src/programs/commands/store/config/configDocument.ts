import type { ConfigEntry } from "../../../../domain/ConfigEntry.ts"
import { instant } from "../../../format/Documents.ts"

export const configDocument = ({ updatedAt, ...entry }: ConfigEntry) => ({ ...entry, updatedAt: instant(updatedAt) })
