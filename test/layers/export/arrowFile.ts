/**
 * Reads an Arrow IPC file by the letter of its format (Flatbuffers tables, encapsulated messages, record batches, footer) and without
 * any library for it. It takes what exports are made of and refuses everything else.
 */
import { assert } from "@effect/vitest"

interface Column {
  readonly name: string
  readonly nullable: boolean
  readonly type: string
}

export interface ArrowFile {
  readonly columns: ReadonlyArray<Column>
  readonly metadata: Readonly<Record<string, string>>
  /** Rows of each record batch, each a value a column. */
  readonly batches: ReadonlyArray<ReadonlyArray<ReadonlyArray<number | null>>>
}

const magic = "ARROW1"

class Table {
  readonly view: DataView
  readonly at: number
  constructor(view: DataView, at: number) {
    this.view = view
    this.at = at
  }
  private place(field: number): number | null {
    const vtable = this.at - this.view.getInt32(this.at, true)
    const slot = 4 + 2 * field
    const offset = slot < this.view.getUint16(vtable, true) ? this.view.getUint16(vtable + slot, true) : 0
    return offset === 0 ? null : this.at + offset
  }
  private target(field: number): number | null {
    const place = this.place(field)
    return place === null ? null : place + this.view.getUint32(place, true)
  }
  byte(field: number): number {
    const place = this.place(field)
    return place === null ? 0 : this.view.getUint8(place)
  }
  short(field: number): number {
    const place = this.place(field)
    return place === null ? 0 : this.view.getInt16(place, true)
  }
  int(field: number): number {
    const place = this.place(field)
    return place === null ? 0 : this.view.getInt32(place, true)
  }
  long(field: number): number {
    const place = this.place(field)
    return place === null ? 0 : Number(this.view.getBigInt64(place, true))
  }
  table(field: number): Table | null {
    const place = this.target(field)
    return place === null ? null : new Table(this.view, place)
  }
  text(field: number): string | null {
    const place = this.target(field)
    if (place === null) return null
    const length = this.view.getUint32(place, true)
    return Buffer.from(this.view.buffer, this.view.byteOffset + place + 4, length).toString("utf8")
  }
  /** The places of the items of a vector, each of `size` bytes. */
  items(field: number, size: number): ReadonlyArray<number> {
    const place = this.target(field)
    const length = place === null ? 0 : this.view.getUint32(place, true)
    return Array.from({ length }, (_, index) => (place ?? 0) + 4 + index * size)
  }
  tables(field: number): ReadonlyArray<Table> {
    return this.items(field, 4).map((place) => new Table(this.view, place + this.view.getUint32(place, true)))
  }
}

const root = (bytes: Uint8Array): Table => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return new Table(view, view.getUint32(0, true))
}

const typeOf = (field: Table): string => {
  const type = field.table(3)
  assert.isNotNull(type)
  switch (field.byte(2)) {
    case 2:
      return `int${type.int(0)}${type.byte(1) === 1 ? "" : " unsigned"}`
    case 3:
      return `float${[16, 32, 64][type.short(0)]}`
    case 10:
      return `timestamp[${["s", "ms", "us", "ns"][type.short(0)]}, ${type.text(1)}]`
    default:
      return assert.fail(`a column of type ${field.byte(2)}`)
  }
}

const schemaOf = (schema: Table) => {
  assert.strictEqual(schema.short(0), 0, "little endian")
  return {
    columns: schema.tables(1).map((field): Column => {
      assert.strictEqual(field.tables(5).length, 0)
      return { name: field.text(0) ?? "", nullable: field.byte(1) === 1, type: typeOf(field) }
    }),
    metadata: Object.fromEntries(schema.tables(2).map((pair) => [pair.text(0) ?? "", pair.text(1) ?? ""]))
  }
}

const batchOf = (batch: Table, body: DataView, columns: ReadonlyArray<Column>) => {
  const length = batch.long(0)
  const nodes = batch.items(1, 16)
  const buffers = batch.items(2, 16).map((place) => ({
    offset: Number(batch.view.getBigInt64(place, true)),
    length: Number(batch.view.getBigInt64(place + 8, true))
  }))
  assert.strictEqual(nodes.length, columns.length)
  assert.strictEqual(buffers.length, 2 * columns.length)
  assert.isNull(batch.table(3), "not compressed")
  let end = 0
  for (const buffer of buffers) {
    assert.strictEqual(buffer.offset % 8, 0, "buffers are aligned")
    assert.isAtLeast(buffer.offset, end, "buffers do not overlap")
    end = buffer.offset + buffer.length
    assert.isAtMost(end, body.byteLength)
  }
  const values = columns.map(({ nullable, type }, index) => {
    const [node = 0, validity, data] = [nodes[index], buffers[2 * index], buffers[2 * index + 1]]
    assert.strictEqual(Number(batch.view.getBigInt64(node, true)), length)
    const nulls = Number(batch.view.getBigInt64(node + 8, true))
    if (validity === undefined || data === undefined) return assert.fail("a buffer is missing")
    if (!nullable) assert.strictEqual(nulls, 0)
    if (nulls > 0) assert.isAtLeast(validity.length, Math.ceil(length / 8))
    assert.isAtLeast(data.length, 8 * length)
    const isNull = (row: number) =>
      validity.length > 0 && ((body.getUint8(validity.offset + (row >> 3)) >> (row & 7)) & 1) === 0
    const cells = Array.from({ length }, (_, row) => {
      if (isNull(row)) return null
      const at = data.offset + 8 * row
      return type === "float64" ? body.getFloat64(at, true) : Number(body.getBigInt64(at, true))
    })
    assert.strictEqual(cells.filter((cell) => cell === null).length, nulls, "the null count is that of the bitmap")
    return cells
  })
  return Array.from({ length }, (_, row) => values.map((column) => column[row] ?? null))
}

export const readArrowFile = (bytes: Uint8Array): ArrowFile => {
  const buffer = Buffer.from(bytes)
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
  assert.strictEqual(buffer.toString("latin1", 0, 8), `${magic}\0\0`)
  assert.strictEqual(buffer.toString("latin1", buffer.length - 6), magic)
  const footerLength = view.getInt32(buffer.length - 10, true)
  const footerStart = buffer.length - 10 - footerLength
  const footer = root(buffer.subarray(footerStart, buffer.length - 10))
  const schema = footer.table(1)
  assert.isNotNull(schema)
  assert.strictEqual(footer.short(0), 4, "metadata version 5")
  assert.strictEqual(footer.items(2, 24).length, 0, "no dictionaries")
  const blocks = footer.items(3, 24).map((place) => ({
    offset: Number(footer.view.getBigInt64(place, true)),
    metadata: footer.view.getInt32(place + 8, true),
    body: Number(footer.view.getBigInt64(place + 16, true))
  }))
  const { columns, metadata } = schemaOf(schema)

  // The streaming part: a message after the other, from the magic to the end of the stream.
  const batches: Array<ReadonlyArray<ReadonlyArray<number | null>>> = []
  let at = 8
  let schemas = 0
  while (true) {
    assert.strictEqual(view.getInt32(at, true), -1, `a message begins at ${at}`)
    const length = view.getInt32(at + 4, true)
    if (length === 0) break
    assert.strictEqual((length + 8) % 8, 0)
    const message = root(buffer.subarray(at + 8, at + 8 + length))
    const body = message.long(3)
    const header = message.table(2)
    assert.isNotNull(header)
    if (message.byte(1) === 1) {
      assert.deepStrictEqual(schemaOf(header), { columns, metadata }, "the schema of the stream is that of the footer")
      schemas++
    } else {
      assert.strictEqual(message.byte(1), 3, "a record batch")
      assert.deepStrictEqual(blocks[batches.length], { offset: at, metadata: length + 8, body })
      const start = at + 8 + length
      batches.push(batchOf(header, new DataView(buffer.buffer, buffer.byteOffset + start, body), columns))
    }
    at += 8 + length + body
  }
  assert.strictEqual(schemas, 1)
  assert.strictEqual(batches.length, blocks.length)
  assert.strictEqual(at + 8, footerStart, "the footer follows the end of the stream")
  return { columns, metadata, batches }
}
