/**
 * Snapshots of format version 1 may name their manifests themselves instead of a manifest list (specification, "Snapshots",
 * `manifests`).
 *
 * In memory such a snapshot has a list all the same, whose location says all that is in it: a `data:` URI. It is read by
 * `FileIO`, and written back as `manifests`, also after the table was upgraded.
 */
import { readList, readString } from "./JsonRead.ts"
import { parseJson, printJson } from "./Json.ts"

const prefix = "data:application/json,"

export const inlineList = (manifestPaths: ReadonlyArray<string>): string =>
  `${prefix}${encodeURIComponent(printJson(manifestPaths))}`

/** The manifests' locations; undefined for the location of a file. */
export const manifestsInline = (manifestList: string): ReadonlyArray<string> | undefined =>
  manifestList.startsWith(prefix)
    ? readList(parseJson(decodeURIComponent(manifestList.slice(prefix.length))), "manifests", readString)
    : undefined
