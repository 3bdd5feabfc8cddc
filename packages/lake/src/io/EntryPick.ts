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
import { avroSkipper, type AvroSkipper } from "./avro/AvroSkip.ts"
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

/** Partition tuples that are remembered, and the bytes of one that is. */
const tuplesRememberedMax = 10_000
const tupleBytesMax = 256

type ReadMap<A> = (from: ByteReader) => ReadonlyMap<number, A>

/** Reads the wanted columns of a map; undefined when it is not laid out as the specification has it. */
const mapReader = <A>(
  type: AvroType,
  value: "long" | "bytes",
  columnIds: ReadonlySet<number>,
  read: (from: ByteReader) => A
): ReadMap<A> | undefined => {
  if (type._tag !== "optional" || type.type._tag !== "array" || type.type.items._tag !== "record") return undefined
  const [key, held, ...more] = type.type.items.fields
  if (key?.type._tag !== "int" || held?.type._tag !== value || more.length > 0) return undefined
  const skip = avroSkipper(held.type)
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

/** A field of a data file that pruning looks at, and where it lies in the entry that was passed over last. */
class Placed {
  start = 0
  end = 0
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
const factsReader = (fileType: AvroType, columnIds: ReadonlySet<number>, placed: ReadonlyMap<number, Placed>) => {
  const readerOf = <A>(id: number, value: "long" | "bytes", read: (from: ByteReader) => A): ReadMap<A> | undefined => {
    const [type, place] = [fieldIn(fileType, id), placed.get(id)]
    if (type === undefined || place === undefined) return () => none
    const map = mapReader(type, value, columnIds, read)
    if (map === undefined) return undefined
    return (from) => {
      from.moveTo(place.start)
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

/** Passes over a data file, noting where the placed fields lie. */
const placingSkipper = (fileType: AvroType, placed: ReadonlyMap<number, Placed>): AvroSkipper => {
  if (fileType._tag !== "record") return avroSkipper(fileType)
  const skippers = fileType.fields.map(({ fieldId, type }): AvroSkipper => {
    const skip = avroSkipper(type)
    const place = placed.get(fieldId ?? -1)
    if (place === undefined) return skip
    return (from) => {
      place.start = from.position
      skip(from)
      place.end = from.position
    }
  })
  return (from) => {
    for (const skip of skippers) skip(from)
  }
}

interface Tuple {
  readonly partition: FileFacts["partition"]
  readonly wanted: boolean
}

/** The partition tuple at its place, and whether it is wanted: remembered by its bytes. */
const tupleReader = (
  type: AvroType,
  place: Placed,
  readPartition: (value: AvroValue) => FileFacts["partition"],
  wanted: EntryPick["partition"]
) => {
  const read = avroReader(type)
  const known = new Map<string, Tuple>()
  const decode = (from: ByteReader): Tuple => {
    from.moveTo(place.start)
    const partition = readPartition(read(from))
    return { partition, wanted: wanted(partition) }
  }
  return (from: ByteReader): Tuple => {
    if (place.end - place.start > tupleBytesMax) return decode(from)
    const key = from.latin1(place.start, place.end)
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
  { columnIds, file, partition: wanted }: EntryPick,
  readPartition: (value: AvroValue) => FileFacts["partition"],
  counted: (status: number) => void
): ((from: ByteReader) => boolean) | undefined => {
  const [fileType, statusType] = [fieldIn(schema, dataFileId), fieldIn(schema, statusId)]
  const partitionType = fieldIn(fileType, partitionId)
  if (schema._tag !== "record" || statusType?._tag !== "int") return undefined
  if (fileType === undefined || partitionType === undefined) return undefined
  const tuplePlace = new Placed()
  const placed = new Map([
    [partitionId, tuplePlace],
    ...Object.values(mapIds).map((id): [number, Placed] => [id, new Placed()])
  ])
  const readFacts = factsReader(fileType, columnIds, placed)
  if (readFacts === undefined) return undefined
  const tupleOf = tupleReader(partitionType, tuplePlace, readPartition, wanted)
  let status = 0
  const skippers = schema.fields.map(({ fieldId, type }): AvroSkipper => {
    if (fieldId === dataFileId) return placingSkipper(type, placed)
    if (fieldId !== statusId) return avroSkipper(type)
    return (from) => {
      status = from.int()
    }
  })
  return (from) => {
    for (const skip of skippers) skip(from)
    counted(status)
    if (status === deleted) return false
    const end = from.position
    const tuple = tupleOf(from)
    const picked = tuple.wanted && file(readFacts(from, tuple.partition))
    from.moveTo(end)
    return picked
  }
}
