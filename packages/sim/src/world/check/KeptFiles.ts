/**
 * What the snapshots that a table keeps reach, for who watches that nobody removes it; and the landing's marks as its history
 * has them. Metadata files and manifests never change, so each is read once.
 */
import { FileIO, type LakeError, type Table } from "@frazil/lake"
import { Effect } from "effect"

type Read<A> = Effect.Effect<A, LakeError, FileIO>

/** Reads every file name that a table's metadata reaches. */
export const makeKeptFiles = () => {
  const lists = new Map<string, ReadonlyArray<string>>()
  const manifests = new Map<string, ReadonlyArray<string>>()
  const filesOfList = Effect.fnUntraced(function* (
    uri: string
  ): Effect.fn.Return<ReadonlyArray<string>, LakeError, FileIO> {
    const known = lists.get(uri)
    if (known !== undefined) return known
    const fileIO = yield* FileIO
    const files = [uri]
    for (const manifest of yield* fileIO.readManifestList(uri)) {
      let named = manifests.get(manifest.manifestPath)
      if (named === undefined) {
        named = [manifest.manifestPath, ...(yield* fileIO.readManifestFiles(manifest)).map((file) => file.uri)]
        manifests.set(manifest.manifestPath, named)
      }
      files.push(...named)
    }
    lists.set(uri, files)
    return files
  })
  return ({ metadata, metadataLocation }: Table): Read<ReadonlySet<string>> =>
    Effect.map(
      Effect.forEach(metadata.snapshots, ({ manifestList }) => filesOfList(manifestList)),
      (files) =>
        new Set([metadataLocation, ...metadata.metadataLog.map(({ metadataFile }) => metadataFile), ...files.flat()])
    )
}

const markPrefix = "frazil.mark."

const marksOf = (entries: ReadonlyMap<string, string>): string =>
  JSON.stringify([...entries].filter(([name]) => name.startsWith(markPrefix)).sort(([a], [b]) => (a < b ? -1 : 1)))

/** What is wrong with the line down to the snapshot that carries the marks (protocol, rule 15); undefined when nothing is. */
export const wrongMarks = ({ metadata }: Table): string | undefined => {
  const byId = new Map(metadata.snapshots.map((snapshot) => [snapshot.snapshotId, snapshot]))
  const inForce = marksOf(metadata.properties)
  // as the table was made: nothing landed yet, and no snapshot carries them
  if ((inForce.match(/next/g)?.length ?? 0) === (inForce.match(/\\"next\\":0,/g)?.length ?? 0)) return undefined
  let at = metadata.currentSnapshotId
  while (at !== null) {
    const snapshot = byId.get(at)
    if (snapshot === undefined) return `snapshot ${at}, which its marks hang on, was removed`
    const carried = marksOf(snapshot.summary)
    if (carried !== "[]")
      return carried === inForce ? undefined : "its marks are not those of its newest landed snapshot"
    at = snapshot.parentSnapshotId
  }
  return undefined
}
