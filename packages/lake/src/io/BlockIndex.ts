/**
 * What each block of a manifest holds, in the manifest's own header: statuses counted, and the values of each partition field.
 *
 * A scan by partition then inflates only blocks that may have an entry for it; entries lie in the order of their partitions.
 * Other readers pass over the key, and manifests of other writers have none. **Guarantee**: an index that is damaged, or is of
 * other blocks than those it lies beside, is an error: a block is never left out by it.
 */
import { crc32 } from "node:zlib"
import { corrupt } from "../spec/FormatError.ts"
import { parseJson, printJson, type JsonValue } from "../spec/Json.ts"
import { readBoolean, readInt, readList, readObject, readOptional, readString, type Read } from "../spec/JsonRead.ts"
import { comparePartitions, entryStatuses, summariseField, type AnyEntry, type FieldSummary } from "../spec/Manifest.ts"
import type { BoundPartitionField } from "../spec/PartitionSpec.ts"
import type { AvroBlock, Division } from "./avro/AvroFile.ts"

/** The header's key. */
export const blockIndexKey = "frazil.blocks"

export interface IndexedBlock {
  /** Entries by status, in the order of `entryStatuses`. */
  readonly counts: ReadonlyArray<number>
  /** Bytes in the file, compressed. */
  readonly size: number
  readonly partitions: ReadonlyArray<FieldSummary>
}

const hexOf = (bytes: Uint8Array | null): JsonValue => (bytes === null ? null : Buffer.from(bytes).toString("hex"))

const summaryToJson = ({ containsNan, containsNull, lowerBound, upperBound }: FieldSummary): JsonValue => ({
  null: containsNull,
  nan: containsNan,
  lower: hexOf(lowerBound),
  upper: hexOf(upperBound)
})

const crcLength = 8
const crcOf = (text: string): string => crc32(text).toString(16).padStart(crcLength, "0")

/** The index of a manifest's blocks; undefined where it would spare nobody anything. */
const blockIndexText = (
  blocks: ReadonlyArray<AvroBlock>,
  entries: ReadonlyArray<AnyEntry>,
  partition: ReadonlyArray<BoundPartitionField>
): string | undefined => {
  if (blocks.length < 2 || partition.length === 0) return undefined
  const text = printJson(
    blocks.map(({ count, data, first }) => {
      const held = entries.slice(first, first + count)
      return {
        counts: entryStatuses.map((status) => held.filter((entry) => entry.status === status).length),
        size: data.length,
        partitions: partition.map(({ type }, i) =>
          summaryToJson(
            summariseField(
              type ?? { _tag: "int" },
              held.map(({ dataFile }) => dataFile.partition[i] ?? null)
            )
          )
        )
      }
    })
  )
  return crcOf(text) + text
}

/** Blocks end where a partition does, when they are large enough; the header has their index. */
export const byPartition = (
  entries: ReadonlyArray<AnyEntry>,
  partition: ReadonlyArray<BoundPartitionField>
): Division => ({
  parts: (at) => comparePartitions(entries[at - 1]!, entries[at]!) !== 0,
  header: (blocks) => {
    const index = blockIndexText(blocks, entries, partition)
    return new Map(index === undefined ? [] : [[blockIndexKey, index]])
  }
})

const readBytes: Read<Uint8Array> = (value, where) => new Uint8Array(Buffer.from(readString(value, where), "hex"))

const readSummary: Read<FieldSummary> = (value, where) => {
  const { lower, nan, null: nulls, upper } = readObject(value, where)
  return {
    containsNull: readBoolean(nulls, `${where}.null`),
    containsNan: readOptional(nan, `${where}.nan`, readBoolean) ?? null,
    lowerBound: readOptional(lower, `${where}.lower`, readBytes) ?? null,
    upperBound: readOptional(upper, `${where}.upper`, readBytes) ?? null
  }
}

const readBlock: Read<IndexedBlock> = (value, where) => {
  const { counts, partitions, size } = readObject(value, where)
  return {
    counts: readList(counts, `${where}.counts`, readInt),
    size: readInt(size, `${where}.size`),
    partitions: readList(partitions, `${where}.partitions`, readSummary)
  }
}

/** The index of a header; undefined when there is none. FormatError when it is damaged. */
export const readBlockIndex = (header: ReadonlyMap<string, string>): ReadonlyArray<IndexedBlock> | undefined => {
  const found = header.get(blockIndexKey)
  if (found === undefined) return undefined
  const text = found.slice(crcLength)
  if (!found.startsWith(crcOf(text))) corrupt(blockIndexKey, "has another checksum than it says")
  return readList(parseJson(text), blockIndexKey, readBlock)
}

/** What the index says of a block that lies in the file; FormatError when it is of another. */
export const indexed = (index: ReadonlyArray<IndexedBlock>, at: number, count: number, size: number): IndexedBlock => {
  const block = index[at]
  if (block?.size === size && block.counts.reduce((sum, each) => sum + each, 0) === count) return block
  return corrupt(blockIndexKey, `is not of block ${at}`)
}
