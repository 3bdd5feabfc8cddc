/**
 * Parquet's hybrid of runs and packed bits: definition levels of a page, and its indices into a dictionary.
 *
 * Values that are all equal are one run, others are packed as they are: what repeats in them is ZSTD's work. Pure.
 */

const putVarint = (target: Uint8Array, at: number, value: number): number => {
  let rest = value
  let end = at
  for (; rest >= 128; rest >>>= 7) target[end++] = (rest & 127) | 128
  target[end++] = rest
  return end
}

const varintBytes = (value: number): number => (value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4)

const lengthBytes = 4
const varintBytesMax = 4

/** Bytes that the levels of a page of so many rows take at most. */
export const levelBytesMax = (rows: number): number => lengthBytes + varintBytesMax + Math.ceil(rows / 8)

/**
 * Writes definition levels, one bit a row: 1 is a value, 0 is null. They end before `end`; gives where they begin. Bits of
 * `validity` behind the last row must be 0 or are ignored by readers.
 */
export const putLevels = (
  target: Uint8Array,
  end: number,
  validity: Uint8Array,
  rows: number,
  nulls: number
): number => {
  const groups = Math.ceil(rows / 8)
  const uniform = nulls === 0 || nulls === rows
  const header = uniform ? rows << 1 : (groups << 1) | 1
  const body = varintBytes(header) + (uniform ? 1 : groups)
  const start = end - lengthBytes - body
  new DataView(target.buffer, target.byteOffset).setUint32(start, body, true)
  const at = putVarint(target, start + lengthBytes, header)
  if (uniform) target[at] = nulls === 0 ? 1 : 0
  else target.set(validity.subarray(0, groups), at)
  return start
}

/** Bits of an index into a dictionary of so many values. */
export const indexBits = (values: number): number => Math.max(1, 32 - Math.clz32(values - 1))

/** Bytes that `putIndices` writes at most. */
export const indexBytesMax = (count: number, bits: number): number => 1 + varintBytesMax + Math.ceil(count / 8) * bits

/** Writes a page's indices, the width before them; gives where they end. Widths up to 16 bits. */
export const putIndices = (
  target: Uint8Array,
  at: number,
  indices: Uint16Array,
  count: number,
  bits: number
): number => {
  target[at] = bits
  const first = indices[0]!
  let equal = 1
  while (equal < count && indices[equal] === first) equal++
  if (equal === count) {
    let end = putVarint(target, at + 1, count << 1)
    target[end++] = first & 255
    if (bits > 8) target[end++] = first >> 8
    return end
  }
  const groups = Math.ceil(count / 8)
  let end = putVarint(target, at + 1, (groups << 1) | 1)
  let waiting = 0
  let waitingBits = 0
  for (let i = 0; i < groups * 8; i++) {
    if (i < count) waiting |= indices[i]! << waitingBits
    for (waitingBits += bits; waitingBits >= 8; waitingBits -= 8) {
      target[end++] = waiting & 255
      waiting >>>= 8
    }
  }
  return end
}
