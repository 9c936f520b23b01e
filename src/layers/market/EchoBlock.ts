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

/**
 * Stamps as second differences, positions as first ones with the mask in the low three bits, all as variable-length integers
 * of seven bits a byte (no shifts: the numbers pass 32 bits).
 */
export const encode = (echoes: ReadonlyArray<Echo>): Uint8Array => {
  const bytes: Array<number> = []
  const put = (value: number): void => {
    let rest = value
    while (rest >= 128) {
      bytes.push((rest % 128) + 128)
      rest = Math.floor(rest / 128)
    }
    bytes.push(rest)
  }
  let ts = 0
  let step = 0
  let position = 0
  for (const echo of echoes) {
    put(zigzag(echo.ts - ts - step))
    put(zigzag(echo.position - position) * 8 + echo.mask)
    step = echo.ts - ts
    ts = echo.ts
    position = echo.position
  }
  return Uint8Array.from(bytes)
}

export const decode = (data: Uint8Array): ReadonlyArray<Echo> => {
  const echoes: Array<Echo> = []
  let at = 0
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
