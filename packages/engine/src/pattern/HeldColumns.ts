/**
 * Records that wait, in a delta: a column of numbers for each of their fields and then their bytes, all of it beside its JSON.
 *
 * `PatternState` writes those that came and reads them again. A pattern holds every record for as long as its watermark lags, so
 * this is most of what its deltas are. Numbers are little-endian, as every machine that runs this has them. **Guarantees**: bytes
 * come back as they were.
 */
import type { RawBytes } from "../state/RawBytes.ts"
import type { HeldRecord } from "./HeldRecord.ts"

export interface HeldColumns {
  /** Where the numbers of the columns begin, among all that the delta has beside its JSON. */
  readonly begin: number
  readonly count: number
  /** Each once; a column says which is whose. */
  readonly keys: ReadonlyArray<string>
}

/** Of older programs: lists in the JSON, and the bytes one behind the other from `begin`. */
export interface ListedColumns {
  readonly begin: number
  readonly lengths: ReadonlyArray<number>
  readonly keys: ReadonlyArray<string>
  readonly ids: ReadonlyArray<number>
  readonly times: ReadonlyArray<number>
  readonly offsets: ReadonlyArray<number>
  readonly masks: ReadonlyArray<number>
  readonly ports: ReadonlyArray<number>
}

/** Those of 8 bytes come first, so that each lies where an array of its kind may begin. */
const columnsOf = (buffer: ArrayBuffer, count: number) => {
  let at = 0
  const doubles = () => new Float64Array(buffer, (at += 8 * count) - 8 * count, count)
  const integers = () => new Int32Array(buffer, (at += 4 * count) - 4 * count, count)
  const [ids, times, offsets] = [doubles(), doubles(), doubles()]
  // `starts` count from the end of the columns
  const [keys, masks, ports, starts, lengths] = [integers(), integers(), integers(), integers(), integers()]
  return { ids, times, offsets, keys, masks, ports, starts, lengths }
}

const bytesOfColumns = (count: number): number => count * (3 * 8 + 5 * 4)

/** Records that nobody has changed since they were read, and whose turn has not come: `count` of them, which are added next. */
export const makeHeldColumns = (raw: RawBytes, count: number) => {
  const buffer = new ArrayBuffer(bytesOfColumns(count))
  const { ids, keys, lengths, masks, offsets, ports, starts, times } = columnsOf(buffer, count)
  const begin = raw.add(new Uint8Array(buffer), 0, buffer.byteLength)
  const places = new Map<string, number>()
  let at = 0
  return {
    taken: (): HeldColumns => ({ begin, count, keys: [...places.keys()] }),
    add: ({ bytes, end, id, key, mask, offset, port, start, time }: HeldRecord): void => {
      let place = places.get(key)
      if (place === undefined) places.set(key, (place = places.size))
      starts[at] = raw.add(bytes, start, end) - begin - buffer.byteLength
      lengths[at] = end - start
      keys[at] = place
      ids[at] = id
      times[at] = time
      offsets[at] = offset
      masks[at] = mask
      ports[at] = port
      at++
    }
  }
}

const heldAt = (
  raw: Uint8Array,
  start: number,
  length: number,
  fields: Pick<HeldRecord, "id" | "key" | "mask" | "offset" | "port" | "time">
): HeldRecord => {
  const end = start + length
  if (!(end <= raw.length)) throw new Error("a delta has less bytes than its records")
  return {
    ...fields,
    bytes: raw,
    start,
    end,
    text: undefined,
    changed: false,
    record: undefined,
    cells: undefined,
    turn: 0
  }
}

export function* decodeHeldColumns(columns: HeldColumns | ListedColumns, raw: Uint8Array): Generator<HeldRecord> {
  if ("ids" in columns) return yield* decodeListed(columns, raw)
  const { begin, count, keys: texts } = columns
  const bytesBegin = begin + bytesOfColumns(count)
  if (!(bytesBegin <= raw.length)) throw new Error("a delta has less bytes than its records")
  // a copy: it may begin anywhere in the delta
  const copied = new Uint8Array(raw.subarray(begin, bytesBegin))
  const { ids, keys, lengths, masks, offsets, ports, starts, times } = columnsOf(copied.buffer, count)
  for (let at = 0; at < count; at++) {
    yield heldAt(raw, bytesBegin + starts[at]!, lengths[at]!, {
      id: ids[at]!,
      key: texts[keys[at]!]!,
      time: times[at]!,
      offset: offsets[at]!,
      port: ports[at]!,
      mask: masks[at]!
    })
  }
}

function* decodeListed(columns: ListedColumns, raw: Uint8Array): Generator<HeldRecord> {
  const { ids, keys, lengths, masks, offsets, ports, times } = columns
  let start = columns.begin
  for (const [index, id] of ids.entries()) {
    const length = lengths[index]!
    yield heldAt(raw, start, length, {
      id,
      key: keys[index]!,
      time: times[index]!,
      offset: offsets[index]!,
      port: ports[index]!,
      mask: masks[index]!
    })
    start += length
  }
}
