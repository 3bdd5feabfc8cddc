/**
 * Records that wait, in a delta: a list for each of their fields, and their bytes, one behind the other, beside its JSON.
 *
 * `PatternState` writes those that came and reads them again. A pattern holds every record for as long as its watermark lags, so
 * this is most of what its deltas are. **Guarantees**: bytes come back as they were.
 */
import type { RawBytes } from "../state/RawBytes.ts"
import type { HeldRecord } from "./HeldRecord.ts"

export interface HeldColumns {
  /** Where the bytes of the first begin, among all that the delta has. */
  readonly begin: number
  readonly lengths: ReadonlyArray<number>
  readonly keys: ReadonlyArray<string>
  readonly ids: ReadonlyArray<number>
  readonly times: ReadonlyArray<number>
  readonly offsets: ReadonlyArray<number>
  readonly masks: ReadonlyArray<number>
  readonly ports: ReadonlyArray<number>
}

/** Records that nobody has changed since they were read, and whose turn has not come. */
export const makeHeldColumns = (raw: RawBytes) => {
  const lengths: Array<number> = []
  const keys: Array<string> = []
  const ids: Array<number> = []
  const times: Array<number> = []
  const offsets: Array<number> = []
  const masks: Array<number> = []
  const ports: Array<number> = []
  const taken: HeldColumns = { begin: raw.length, lengths, keys, ids, times, offsets, masks, ports }
  return {
    taken,
    add: ({ bytes, end, id, key, mask, offset, port, start, time }: HeldRecord): void => {
      raw.add(bytes, start, end)
      lengths.push(end - start)
      keys.push(key)
      ids.push(id)
      times.push(time)
      offsets.push(offset)
      masks.push(mask)
      ports.push(port)
    }
  }
}

export function* decodeHeldColumns(columns: HeldColumns, raw: Uint8Array): Generator<HeldRecord> {
  const { ids, keys, lengths, masks, offsets, ports, times } = columns
  let start = columns.begin
  for (const [index, id] of ids.entries()) {
    const end = start + lengths[index]!
    if (!(end <= raw.length)) throw new Error("a delta has less bytes than its records")
    yield {
      id,
      key: keys[index]!,
      time: times[index]!,
      offset: offsets[index]!,
      port: ports[index]!,
      mask: masks[index]!,
      bytes: raw,
      start,
      end,
      text: undefined,
      changed: false,
      record: undefined,
      cells: undefined,
      turn: 0
    }
    start = end
  }
}
