/**
 * How an answer is archived: frames as they were on the wire, each with its length in front, and before them one of ours whose fields are
 * `tapestry.ibkr`, the number of this form (1), and the version of the protocol in which the gateway wrote. The same frames are the same
 * bytes; numbers of requests are in them, so that two answers to one question differ.
 */
import { Result } from "effect"
import { bareMetadata, type ResponseMetadata } from "../../../domain/Response.ts"
import { concatenated } from "../../../services/PayloadDraft.ts"
import { fieldsOf, frameOf, headerSize } from "./frames.ts"
import type { AnswerOfGateway } from "./Question.ts"

const name = "tapestry.ibkr"
const form = "1"

const contentType = "application/vnd.tapestry.ibkr-frames"

/** What is archived beside the frames of an answer. `gateway`: `127.0.0.1:4001`; `connection` as the session counts them. */
export const answerMetadata = (
  gateway: string,
  { connection, frames, serverVersion }: Pick<AnswerOfGateway, "connection" | "frames" | "serverVersion">,
  elapsedMillis: number
): ResponseMetadata => ({
  ...bareMetadata,
  contentType,
  elapsedMillis,
  adapter: { gateway, serverVersion, connection, frames: frames.length }
})

export const answerBytes = (serverVersion: number, frames: ReadonlyArray<Uint8Array>): Uint8Array => {
  const all = [frameOf([name, form, serverVersion]), ...frames]
  return concatenated(
    all,
    all.reduce((size, frame) => size + frame.length, 0)
  )
}

/** An archived answer: the fields of its messages, in the order they came. */
export interface ArchivedAnswer {
  readonly serverVersion: number
  readonly messages: ReadonlyArray<ReadonlyArray<string>>
}

/** Reads archived bytes back; fails with what is wrong with them. */
export const readAnswer = (payload: Uint8Array): Result.Result<ArchivedAnswer, string> => {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const messages: Array<ReadonlyArray<string>> = []
  for (let at = 0; at < payload.length; ) {
    if (payload.length - at < headerSize) return Result.fail("it ends in the middle of a length")
    const end = at + headerSize + view.getUint32(at)
    if (end > payload.length) return Result.fail("it ends in the middle of a frame")
    messages.push(fieldsOf(payload.subarray(at, end)))
    at = end
  }
  const [header, ...rest] = messages
  const serverVersion = Number(header?.[2])
  return header?.[0] === name && header[1] === form && Number.isInteger(serverVersion)
    ? Result.succeed({ serverVersion, messages: rest })
    : Result.fail("it does not begin as an answer of a gateway")
}
