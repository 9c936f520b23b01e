/**
 * What a response asserted about stamps where its assertion left no row of its own.
 *
 * A refetch that changes nothing writes no row, yet a response that was fetched in between may be committed later, and then
 * the refetch's row must appear, with its own position. So what is needed for that is kept in blocks of a few thousand stamps,
 * about two bytes each on a regular series.
 */

/** `mask` has a bit for each field that was null under the policy `keep`: 1 volume, 2 vwap, 4 count. */
export interface Echo {
  readonly ts: number
  readonly position: number
  readonly mask: number
}

export const VolumeBit = 1
export const VwapBit = 2
export const CountBit = 4

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value)
const unzigzag = (value: number): number => (value % 2 === 1 ? -(value + 1) / 2 : value / 2)

const Packed = 0
const Plain = 1

/** Beyond these, differences and their packing could pass 2^53. */
const isWide = (ts: number, position: number): boolean => Math.abs(ts) >= 2 ** 50 || Math.abs(position) >= 2 ** 47

const decodePlain = (data: Uint8Array): ReadonlyArray<Echo> => {
  // Not `slice`: the driver gives Buffers, whose slices share their memory, tag byte and all.
  const numbers = new Float64Array(Uint8Array.from(data.subarray(1)).buffer)
  return Array.from({ length: numbers.length / 3 }, (_, index) => ({
    ts: numbers[index * 3] ?? 0,
    position: numbers[index * 3 + 1] ?? 0,
    mask: numbers[index * 3 + 2] ?? 0
  }))
}

/** A block in the making, as bare numbers: a commit adds thousands in one step, and objects would be so much garbage. */
export class EchoBlock {
  private readonly numbers: Array<number> = []
  private wide = false

  add(ts: number, position: number, mask: number): void {
    this.numbers.push(ts, position, mask)
    if (isWide(ts, position)) this.wide = true
  }

  /** First and last stamp; null when there is none. Stamps were added in ascending order. */
  get bounds(): { readonly first: number; readonly last: number } | null {
    const first = this.numbers[0]
    const last = this.numbers[this.numbers.length - 3]
    return first === undefined || last === undefined ? null : { first, last }
  }

  encode(): Uint8Array {
    return this.wide ? this.encodePlain() : this.encodePacked()
  }

  /**
   * Stamps as second differences, positions as first ones with the mask in the low three bits, all as variable-length integers
   * of seven bits a byte (no shifts: the numbers pass 32 bits).
   */
  private encodePacked(): Uint8Array {
    const bytes: Array<number> = [Packed]
    const put = (value: number): void => {
      let rest = value
      while (rest >= 128) {
        bytes.push((rest % 128) + 128)
        rest = Math.floor(rest / 128)
      }
      bytes.push(rest)
    }
    let lastTs = 0
    let step = 0
    let lastPosition = 0
    for (let at = 0; at < this.numbers.length; at += 3) {
      const ts = this.numbers[at] ?? 0
      const position = this.numbers[at + 1] ?? 0
      put(zigzag(ts - lastTs - step))
      put(zigzag(position - lastPosition) * 8 + (this.numbers[at + 2] ?? 0))
      step = ts - lastTs
      lastTs = ts
      lastPosition = position
    }
    return Uint8Array.from(bytes)
  }

  private encodePlain(): Uint8Array {
    const numbers = Float64Array.from(this.numbers)
    const data = new Uint8Array(1 + numbers.byteLength)
    data[0] = Plain
    data.set(new Uint8Array(numbers.buffer), 1)
    return data
  }
}

export const decode = (data: Uint8Array): ReadonlyArray<Echo> => {
  if (data[0] === Plain) return decodePlain(data)
  const echoes: Array<Echo> = []
  let at = 1
  const take = (): number => {
    let value = 0
    let unit = 1
    for (;;) {
      const byte = data[at++] ?? 0
      value += (byte % 128) * unit
      if (byte < 128) return value
      unit *= 128
    }
  }
  let ts = 0
  let step = 0
  let position = 0
  while (at < data.length) {
    step += unzigzag(take())
    ts += step
    const packed = take()
    position += unzigzag(Math.floor(packed / 8))
    echoes.push({ ts, position, mask: packed % 8 })
  }
  return echoes
}
