/**
 * Looks at the lengths in the metadata of an Arrow message before the library reads it: it believes them, and a damaged one would have it
 * make objects without end. Offsets and slots are those of Schema.fbs and Message.fbs of the Arrow format.
 */

const headerSlots = { type: 1, header: 2 }
const headerTypes = { schema: 1, dictionary: 2, batch: 3 }
const deepest = 32

/** Throws where a length or an offset reaches beyond the metadata. */
export const checkMetadata = (bytes: Uint8Array): void => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let fields = 0

  const place = (table: number, slot: number): number => {
    const vtable = table - view.getInt32(table, true)
    const entry = 4 + 2 * slot
    const offset = entry < view.getUint16(vtable, true) ? view.getUint16(vtable + entry, true) : 0
    return offset === 0 ? 0 : table + offset
  }
  const target = (at: number): number => at + view.getUint32(at, true)
  /** Where the elements of a vector begin, and how many there are. */
  const vector = (table: number, slot: number, size: number) => {
    const at = place(table, slot)
    if (at === 0) return { at: 0, length: 0 }
    const start = target(at)
    const length = view.getUint32(start, true)
    if (start + 4 + length * size > bytes.length) throw new RangeError("a vector reaches beyond the metadata")
    return { at: start + 4, length }
  }
  const fieldsIn = (table: number, slot: number, depth: number): void => {
    if (depth > deepest) throw new RangeError("fields are nested without end")
    const { at, length } = vector(table, slot, 4)
    fields += length
    if (fields > bytes.length) throw new RangeError("there are more fields than bytes")
    for (let index = 0; index < length; index++) {
      const field = target(at + 4 * index)
      fieldsIn(field, 5, depth + 1)
      vector(field, 6, 4)
    }
  }
  const batch = (table: number): void => {
    vector(table, 1, 16)
    vector(table, 2, 16)
    vector(table, 4, 8)
  }

  const message = view.getUint32(0, true)
  const type = place(message, headerSlots.type)
  const at = place(message, headerSlots.header)
  if (type === 0 || at === 0) throw new RangeError("a message has no header")
  const header = target(at)
  const found = view.getUint8(type)
  if (found === headerTypes.schema) {
    fieldsIn(header, 1, 0)
    vector(header, 2, 4)
  } else if (found === headerTypes.dictionary) {
    const data = place(header, 1)
    if (data !== 0) batch(target(data))
  } else if (found === headerTypes.batch) batch(header)
}
