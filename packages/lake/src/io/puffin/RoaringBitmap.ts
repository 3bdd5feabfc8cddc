/**
 * Row positions as Roaring bitmaps in the portable 64-bit layout (RoaringFormatSpec, "Extension for 64-bit implementations"):
 * what lies in a deletion vector.
 *
 * Containers of 2^16 positions are arrays, bitmaps or runs, whichever is smallest, as the reference implementation chooses.
 * Decoding checks order, counts and length: FormatError for anything else.
 */
import { corrupt, unsupported } from "../../spec/FormatError.ts"
import { RowPositions } from "./RowPositions.ts"

const cookieWithoutRuns = 12_346
const cookieWithRuns = 12_347
/** Bitmaps with runs have offsets from so many containers on. */
const offsetsMin = 4
/** More values than this lie in a bitmap. */
const arrayMax = 4_096
const bitmapBytes = 8_192
const containerSize = 65_536
const bitmapSize = 2 ** 32
/** Keys of bitmaps: above, positions are no exact numbers. */
const keyMax = 2 ** 21 - 1

class Bytes {
  at = 0
  private readonly view: DataView

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.view.byteLength - this.at
  }

  private take(size: number): number {
    if (size > this.left) corrupt("bitmap", `it ends after ${this.view.byteLength} bytes, in the middle`)
    this.at += size
    return this.at - size
  }

  u8 = (): number => this.view.getUint8(this.take(1))
  u16 = (): number => this.view.getUint16(this.take(2), true)
  u32 = (): number => this.view.getUint32(this.take(4), true)
  u64 = (): bigint => this.view.getBigUint64(this.take(8), true)
  skip = (size: number): void => void this.take(size)
}

interface Header {
  readonly key: number
  readonly count: number
  readonly run: boolean
}

const readHeaders = (from: Bytes): ReadonlyArray<Header> => {
  const cookie = from.u32()
  const withRuns = (cookie & 0xffff) === cookieWithRuns
  if (!withRuns && cookie !== cookieWithoutRuns)
    corrupt("bitmap", `begins with ${cookie}, which is no Roaring bitmap's`)
  const size = withRuns ? (cookie >>> 16) + 1 : from.u32()
  if (size > containerSize) corrupt("bitmap", `has ${size} containers`)
  const flags = withRuns ? Array.from({ length: Math.ceil(size / 8) }, from.u8) : []
  const headers: Array<Header> = []
  for (let i = 0; i < size; i++) {
    const key = from.u16()
    if (i > 0 && key <= headers[i - 1]!.key) corrupt("bitmap", "its containers are not in order")
    headers.push({ key, count: from.u16() + 1, run: (((flags[i >> 3] ?? 0) >> (i & 7)) & 1) === 1 })
  }
  if (!withRuns || size >= offsetsMin) from.skip(4 * size)
  return headers
}

/** Adds runs to `out`: first positions, and those after the last, in turn. */
const readContainer = (from: Bytes, { count, run }: Header, base: number, out: Array<number>): void => {
  let found = 0
  let last = -1
  const add = (first: number, after: number): void => {
    if (first < last || after > containerSize) corrupt("bitmap", "values of a container are not in order")
    const end = base + after
    if (first === last && out.at(-1) === base + first) out[out.length - 1] = end
    else out.push(base + first, end)
    found += after - first
    last = after
  }
  if (run) {
    const runs = from.u16()
    for (let i = 0; i < runs; i++) {
      const first = from.u16()
      add(first, first + from.u16() + 1)
    }
  } else if (count > arrayMax) {
    for (let byte = 0; byte < bitmapBytes; byte++) {
      const bits = from.u8()
      for (let bit = 0; bits >> bit > 0; bit++) {
        if (((bits >> bit) & 1) === 1) add(byte * 8 + bit, byte * 8 + bit + 1)
      }
    }
  } else {
    for (let i = 0; i < count; i++) {
      const value = from.u16()
      add(value, value + 1)
    }
  }
  if (found !== count) corrupt("bitmap", `a container holds ${found} values where its header says ${count}`)
}

export const decodeRoaring64 = (bytes: Uint8Array): RowPositions => {
  const from = new Bytes(bytes)
  const bitmaps = from.u64()
  const out: Array<number> = []
  let last = -1
  for (let i = 0n; i < bitmaps; i++) {
    const key = from.u32()
    if (key <= last) corrupt("bitmap", "its keys are not in order")
    if (key > keyMax) unsupported(`a deletion vector with a position of ${BigInt(key) << 32n} or more`)
    last = key
    for (const header of readHeaders(from)) {
      readContainer(from, header, key * bitmapSize + header.key * containerSize, out)
    }
  }
  if (from.left > 0) corrupt("bitmap", `${from.left} bytes are left at its end`)
  return RowPositions.fromRuns(out)
}

interface Container {
  readonly key: number
  /** Within the container: first values, and those after the last, in turn. */
  readonly runs: ReadonlyArray<number>
  readonly count: number
}

/** Runs cut at the ends of containers, by bitmap. */
const containersOf = ({ bounds }: RowPositions): ReadonlyMap<number, ReadonlyArray<Container>> => {
  const bitmaps = new Map<number, Array<{ key: number; runs: Array<number>; count: number }>>()
  for (let i = 0; i < bounds.length; i += 2) {
    for (let at = bounds[i]!; at < bounds[i + 1]!;) {
      const base = Math.floor(at / containerSize) * containerSize
      const to = Math.min(bounds[i + 1]!, base + containerSize)
      const bitmap = Math.floor(at / bitmapSize)
      const key = (base % bitmapSize) / containerSize
      const containers = bitmaps.get(bitmap) ?? []
      bitmaps.set(bitmap, containers)
      let container = containers.at(-1)
      if (container?.key !== key) containers.push((container = { key, runs: [], count: 0 }))
      container.runs.push(at - base, to - base)
      container.count += to - at
      at = to
    }
  }
  return bitmaps
}

const plainSize = ({ count }: Container): number => (count > arrayMax ? bitmapBytes : 2 * count)
const runSize = ({ runs }: Container): number => 2 + 2 * runs.length
const hasRuns = (container: Container): boolean => runSize(container) < plainSize(container)
const sizeOf = (container: Container): number => Math.min(runSize(container), plainSize(container))

const writeContainer = (view: DataView, at: number, container: Container): void => {
  const { count, runs } = container
  if (hasRuns(container)) {
    view.setUint16(at, runs.length / 2, true)
    for (let i = 0; i < runs.length; i += 2) {
      view.setUint16(at + 2 + 2 * i, runs[i]!, true)
      view.setUint16(at + 4 + 2 * i, runs[i + 1]! - runs[i]! - 1, true)
    }
    return
  }
  let next = at
  for (let i = 0; i < runs.length; i += 2) {
    for (let value = runs[i]!; value < runs[i + 1]!; value++) {
      if (count > arrayMax) view.setUint8(at + (value >> 3), view.getUint8(at + (value >> 3)) | (1 << (value & 7)))
      else {
        view.setUint16(next, value, true)
        next += 2
      }
    }
  }
}

const headerSize = (containers: ReadonlyArray<Container>): number => {
  const size = containers.length
  if (!containers.some(hasRuns)) return 8 + 8 * size
  return 4 + Math.ceil(size / 8) + 4 * size + (size >= offsetsMin ? 4 * size : 0)
}

const writeBitmap = (view: DataView, start: number, containers: ReadonlyArray<Container>): number => {
  const size = containers.length
  let at = start
  const withRuns = containers.some(hasRuns)
  view.setUint32(at, withRuns ? cookieWithRuns + (size - 1) * 65_536 : cookieWithoutRuns, true)
  at += 4
  if (withRuns) {
    for (const [i, container] of containers.entries()) {
      if (hasRuns(container)) view.setUint8(at + (i >> 3), view.getUint8(at + (i >> 3)) | (1 << (i & 7)))
    }
    at += Math.ceil(size / 8)
  } else {
    view.setUint32(at, size, true)
    at += 4
  }
  for (const { count, key } of containers) {
    view.setUint16(at, key, true)
    view.setUint16(at + 2, count - 1, true)
    at += 4
  }
  let offset = headerSize(containers)
  const offsets = !withRuns || size >= offsetsMin
  for (const container of containers) {
    writeContainer(view, start + offset, container)
    if (offsets) {
      view.setUint32(at, offset, true)
      at += 4
    }
    offset += sizeOf(container)
  }
  return start + offset
}

export const encodeRoaring64 = (positions: RowPositions): Uint8Array => {
  const bitmaps = Array.from(containersOf(positions))
  const sizes = bitmaps.map(([, containers]) =>
    containers.reduce((sum, container) => sum + sizeOf(container), headerSize(containers))
  )
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + 4 + size, 8))
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(bitmaps.length), true)
  let at = 8
  for (const [key, containers] of bitmaps) {
    view.setUint32(at, key, true)
    at = writeBitmap(view, at + 4, containers)
  }
  return bytes
}
