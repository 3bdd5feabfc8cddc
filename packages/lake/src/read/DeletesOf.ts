/**
 * Which delete files apply to which data files (specification, "Scan Planning").
 *
 * Pure. A delete says something of files of its own partition that are not younger than it; equality deletes of a spec
 * that divides nothing say something of every partition. Where a deletion vector applies, position delete files do not.
 */
import { normaliseUri } from "@frazil/core"
import { deletePathId, isVector, type ContentFile, type DeleteFile } from "../spec/DataFile.ts"
import type { ManifestEntry } from "../spec/Manifest.ts"
import { partitionKey, type PartitionSpec } from "../spec/PartitionSpec.ts"

export type DeleteEntry = ManifestEntry<DeleteFile>

const utf8 = new TextDecoder()

const numberOf = ({ sequenceNumber }: ManifestEntry<ContentFile>): bigint => sequenceNumber ?? 0n

/** By its bounds: whether the file may hold positions of that data file. */
const mayName = ({ lowerBounds, upperBounds }: DeleteFile, path: string): boolean => {
  const [lower, upper] = [lowerBounds.get(deletePathId), upperBounds.get(deletePathId)]
  // bounds hold the path as its writer spelled it
  const spelled = [
    path,
    normaliseUri(path),
    normaliseUri(path).replace(/^file:\/\//, "file:"),
    path.replace(/^file:\/\//, "")
  ]
  return spelled.some(
    (each) => (lower === undefined || utf8.decode(lower) <= each) && (upper === undefined || each <= utf8.decode(upper))
  )
}

/** A spec that divides nothing: void fields are what is left of those that were dropped in format version 1. */
const isUndivided = ({ fields }: PartitionSpec): boolean => fields.every(({ transform }) => transform._tag === "void")

/** For each data file, what applies to it: by ids of `deletes`' order, so that equal sets are equal lists. */
export const deletesOf = (
  deletes: ReadonlyArray<DeleteEntry>,
  specOf: (specId: number) => PartitionSpec
): ((entry: ManifestEntry) => ReadonlyArray<DeleteEntry>) => {
  const keyOf = ({ partition, specId }: ContentFile) => partitionKey(specId, partition)
  const global = deletes.filter(
    ({ dataFile }) => dataFile.content === "equality-deletes" && isUndivided(specOf(dataFile.specId))
  )
  const globals = new Set(global)
  const byPartition = Map.groupBy(
    deletes.filter((entry) => !globals.has(entry)),
    ({ dataFile }) => keyOf(dataFile)
  )
  return (entry) => {
    const own = byPartition.get(keyOf(entry.dataFile)) ?? []
    const path = normaliseUri(entry.dataFile.filePath)
    const applies = (each: DeleteEntry): boolean => {
      const { content, referencedDataFile } = each.dataFile
      if (content === "equality-deletes") return numberOf(entry) < numberOf(each)
      if (numberOf(entry) > numberOf(each)) return false
      if (referencedDataFile !== null) return normaliseUri(referencedDataFile) === path
      return mayName(each.dataFile, entry.dataFile.filePath)
    }
    const applying = [...global, ...own].filter(applies)
    const vectored = applying.some(({ dataFile }) => isVector(dataFile))
    return vectored
      ? applying.filter(({ dataFile }) => dataFile.content === "equality-deletes" || isVector(dataFile))
      : applying
  }
}
