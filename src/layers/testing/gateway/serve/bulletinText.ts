import { message } from "../wire/text.ts"

/** A bulletin of the gateway, as those who subscribed to them get it. */
export const bulletinText = (id: number, text: string): string => message(14, 1, id, 1, text, "SIM")
