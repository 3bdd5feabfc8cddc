/**
 * Picks a manifest's entries before they are decoded: by status, partition and the bounds of a few columns, read where they lie.
 *
 * A scan with a filter needs few of a manifest's entries, and an entry says much of every column: decoding it costs many times
 * what passing over it does. One-sided, as pruning is: what is passed over cannot match; a layout that is not understood is
 * decoded whole, and the scan looks at what was picked again. Its slow twin is decoding all and pruning then.
 */
import type { ContentFile } from "../spec/DataFile.ts"
import type { FieldSummary } from "../spec/Manifest.ts"
import { avroReader, readBlocks, type ByteReader } from "./avro/AvroDecode.ts"
import { avroSkipper } from "./avro/AvroSkip.ts"
import { AvroPasser } from "./avro/AvroSteps.ts"
import type { AvroType } from "./avro/AvroType.ts"
import type { AvroValue } from "./avro/AvroValue.ts"

/** What pruning looks at. */
export type FileFacts = Pick<
  ContentFile,
  "partition" | "valueCounts" | "nullValueCounts" | "nanValueCounts" | "lowerBounds" | "upperBounds"
>

/** What a scan wants. */
export interface EntryPick {
  /** Columns that `file` asks about. */
  readonly columnIds: ReadonlySet<number>
  /** By what is said of the partitions of several files. */
  readonly summaries: (summaries: ReadonlyArray<FieldSummary>) => boolean
  /** By the partition alone: equal ones are asked about once. */
  readonly partition: (partition: FileFacts["partition"]) => boolean
  readonly file: (facts: FileFacts) => boolean
  /** By a bound alone: what `file` would say of most files, before it is asked. */
  readonly ranges: ReadonlyArray<ColumnRange>
}

/** Whether a bound of a column, as it lies in these bytes, says that no value of the file is wanted. */
type RulesOut = (bytes: Uint8Array, start: number, end: number) => boolean

/** What a filter asks of the values of one column: a file is not wanted that either says it of. */
export interface ColumnRange {
  readonly columnId: number
  readonly lower: RulesOut | undefined
  readonly upper: RulesOut | undefined
}

/** Status in a manifest of an entry that is of no use to scans. */
const deleted = 2

/** Field ids (specification, "Manifest Entry Fields", "Data File Fields"). */
const statusId = 0
const dataFileId = 2
const partitionId = 102
/** By the fact that they hold, the ids of maps by column id. */
const mapIds = {
  valueCounts: 109,
  nullValueCounts: 110,
  nanValueCounts: 137,
  lowerBounds: 125,
  upperBounds: 128
} as const

/** What is noted of an entry that is passed over. */
const placedIds = [partitionId, ...Object.values(mapIds)]
const noted = [[statusId], ...placedIds.map((id) => [dataFileId, id])]
const statusNote = 0
const noteOf = (id: number): number => 1 + placedIds.indexOf(id)

/** Partition tuples that are remembered, and the bytes of one that is. */
const tuplesRememberedMax = 10_000
const tupleBytesMax = 256

type ReadMap<A> = (from: ByteReader) => ReadonlyMap<number, A>

/** A map by column id, as the specification has it. */
const isMapOf = (type: AvroType, value: "long" | "bytes"): type is AvroType & { readonly _tag: "optional" } => {
  if (type._tag !== "optional" || type.type._tag !== "array" || type.type.items._tag !== "record") return false
  const [key, held, ...more] = type.type.items.fields
  return key?.type._tag === "int" && held?.type._tag === value && more.length === 0
}

/** Reads the wanted columns of a map; undefined when it is not laid out as the specification has it. */
const mapReader = <A>(
  type: AvroType,
  value: "long" | "bytes",
  columnIds: ReadonlySet<number>,
  read: (from: ByteReader) => A
): ReadMap<A> | undefined => {
  if (!isMapOf(type, value)) return undefined
  const skip = avroSkipper({ _tag: value })
  const nullBranch = type.nullFirst ? 0 : 1
  return (from) => {
    const found = new Map<number, A>()
    if (from.size() === nullBranch) return found
    readBlocks(from, () => {
      const id = from.int()
      if (columnIds.has(id)) found.set(id, read(from))
      else skip(from)
    })
    return found
  }
}

const fieldIn = (type: AvroType | undefined, id: number): AvroType | undefined =>
  type?._tag === "record" ? type.fields.find(({ fieldId }) => fieldId === id)?.type : undefined

const none = new Map<number, never>()

type Counts = FileFacts["valueCounts"]
type Bounds = FileFacts["lowerBounds"]

interface Readers {
  readonly valueCounts: ReadMap<bigint>
  readonly nullValueCounts: ReadMap<bigint>
  readonly nanValueCounts: ReadMap<bigint>
  readonly lowerBounds: ReadMap<Uint8Array>
  readonly upperBounds: ReadMap<Uint8Array>
}

/** Reads a map when it is asked for: most entries are decided by a bound or two. Good until the next entry is passed over. */
class LazyFacts implements FileFacts {
  readonly partition: FileFacts["partition"]
  private readonly from: ByteReader
  private readonly readers: Readers
  private values: Counts | undefined
  private nulls: Counts | undefined
  private nans: Counts | undefined
  private lower: Bounds | undefined
  private upper: Bounds | undefined

  constructor(from: ByteReader, partition: FileFacts["partition"], readers: Readers) {
    this.from = from
    this.partition = partition
    this.readers = readers
  }

  get valueCounts(): Counts {
    return (this.values ??= this.readers.valueCounts(this.from))
  }
  get nullValueCounts(): Counts {
    return (this.nulls ??= this.readers.nullValueCounts(this.from))
  }
  get nanValueCounts(): Counts {
    return (this.nans ??= this.readers.nanValueCounts(this.from))
  }
  get lowerBounds(): Bounds {
    return (this.lower ??= this.readers.lowerBounds(this.from))
  }
  get upperBounds(): Bounds {
    return (this.upper ??= this.readers.upperBounds(this.from))
  }
}

/** Reads facts at their places. A map that the file lacks is empty, as decoding has it; undefined when one is unknown. */
const factsReader = (fileType: AvroType, columnIds: ReadonlySet<number>, { begins }: AvroPasser) => {
  const readerOf = <A>(id: number, value: "long" | "bytes", read: (from: ByteReader) => A): ReadMap<A> | undefined => {
    const type = fieldIn(fileType, id)
    if (type === undefined) return () => none
    const map = mapReader(type, value, columnIds, read)
    if (map === undefined) return undefined
    const note = noteOf(id)
    return (from) => {
      from.moveTo(begins[note]!)
      return map(from)
    }
  }
  const long = (from: ByteReader) => from.long()
  const bytes = (from: ByteReader) => from.bytes()
  const valueCounts = readerOf(mapIds.valueCounts, "long", long)
  const nullValueCounts = readerOf(mapIds.nullValueCounts, "long", long)
  const nanValueCounts = readerOf(mapIds.nanValueCounts, "long", long)
  const lowerBounds = readerOf(mapIds.lowerBounds, "bytes", bytes)
  const upperBounds = readerOf(mapIds.upperBounds, "bytes", bytes)
  if (!valueCounts || !nullValueCounts || !nanValueCounts || !lowerBounds || !upperBounds) return undefined
  const readers = { valueCounts, nullValueCounts, nanValueCounts, lowerBounds, upperBounds }
  return (from: ByteReader, partition: FileFacts["partition"]): FileFacts => new LazyFacts(from, partition, readers)
}

/** Whether a column's bound in one map, where it has one, rules the entry out; undefined for maps of another layout. */
const beyondBound = (fileType: AvroType, id: number, columnId: number, rulesOut: RulesOut, { begins }: AvroPasser) => {
  const type = fieldIn(fileType, id)
  if (type === undefined || !isMapOf(type, "bytes")) return undefined
  const [note, nullBranch] = [noteOf(id), type.nullFirst ? 0 : 1]
  return (from: ByteReader): boolean => {
    from.moveTo(begins[note]!)
    if (from.size() === nullBranch) return false
    for (;;) {
      let count = from.size()
      if (count === 0) return false
      if (count < 0) {
        count = -count
        from.size()
      }
      for (; count > 0; count--) {
        const key = from.int()
        const size = from.size()
        const start = from.position
        from.skip(size)
        if (key === columnId) return rulesOut(from.data, start, start + size)
      }
    }
  }
}

const beyondRange = (fileType: AvroType, { columnId, lower, upper }: ColumnRange, passer: AvroPasser) => {
  const below = lower && beyondBound(fileType, mapIds.lowerBounds, columnId, lower, passer)
  const above = upper && beyondBound(fileType, mapIds.upperBounds, columnId, upper, passer)
  return (from: ByteReader): boolean => below?.(from) === true || above?.(from) === true
}

interface Tuple {
  readonly partition: FileFacts["partition"]
  readonly wanted: boolean
}

/** The partition tuple at its place, and whether it is wanted: remembered by its bytes. */
const tupleReader = (
  type: AvroType,
  { begins, ends }: AvroPasser,
  readPartition: (value: AvroValue) => FileFacts["partition"],
  wanted: EntryPick["partition"]
) => {
  const read = avroReader(type)
  const known = new Map<string, Tuple>()
  const note = noteOf(partitionId)
  const decode = (from: ByteReader): Tuple => {
    from.moveTo(begins[note]!)
    const partition = readPartition(read(from))
    return { partition, wanted: wanted(partition) }
  }
  return (from: ByteReader): Tuple => {
    const [begin, end] = [begins[note]!, ends[note]!]
    if (end - begin > tupleBytesMax) return decode(from)
    const key = from.latin1(begin, end)
    const found = known.get(key)
    if (found !== undefined) return found
    const tuple = decode(from)
    if (known.size < tuplesRememberedMax) known.set(key, tuple)
    return tuple
  }
}

/**
 * Passes over one entry after another and says which to decode; `counted` is told the status of each. Undefined when the
 * schema is not one that it understands.
 */
export const entryPicker = (
  schema: AvroType,
  { columnIds, file, partition: wanted, ranges }: EntryPick,
  readPartition: (value: AvroValue) => FileFacts["partition"],
  counted: (status: number) => void
): ((from: ByteReader) => boolean) | undefined => {
  const [fileType, statusType] = [fieldIn(schema, dataFileId), fieldIn(schema, statusId)]
  const partitionType = fieldIn(fileType, partitionId)
  if (schema._tag !== "record" || statusType?._tag !== "int") return undefined
  if (fileType === undefined || partitionType === undefined) return undefined
  const passer = new AvroPasser(schema, noted)
  const readFacts = factsReader(fileType, columnIds, passer)
  if (readFacts === undefined) return undefined
  const tupleOf = tupleReader(partitionType, passer, readPartition, wanted)
  const beyond = ranges.map((range) => beyondRange(fileType, range, passer))
  return (from) => {
    passer.pass(from)
    const end = from.position
    from.moveTo(passer.begins[statusNote]!)
    const status = from.int()
    counted(status)
    let picked = status !== deleted && !beyond.some((isBeyond) => isBeyond(from))
    if (picked) {
      const tuple = tupleOf(from)
      picked = tuple.wanted && file(readFacts(from, tuple.partition))
    }
    from.moveTo(end)
    return picked
  }
}
