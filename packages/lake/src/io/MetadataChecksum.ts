/**
 * A checksum of a metadata file, in its name: the last 32 bits of the UUID in it, which is of version 8 (RFC 9562: what its bits
 * mean is its writer's affair). Readers of this library then know that its bytes are those that were printed, and need not look
 * at each of 1,000 snapshots to tell damage (`spec/TableLists.ts`).
 *
 * **Gotchas**: a name that does not fit says nothing: other writers may use such UUIDs, and who moves a table may change what
 * its files say and keep their names. Such a file is looked at as all others are.
 */
import { crc32 } from "node:zlib"
import type { TableMetadata } from "../spec/TableMetadata.ts"
import { tableMetadataAsPrinted, tableMetadataFromBytes } from "../spec/TableMetadataJson.ts"

/**
 * What the checksum begins with, so that it stands for the order of members too. Another order, or a member after the lists,
 * needs another number: what older versions cannot know they then look at.
 */
const layout = 1

const checksumOf = (bytes: Uint8Array): string => crc32(bytes, layout).toString(16).padStart(8, "0")

/** What a name ends with, in parts: of its UUID those that stay, its version between them, and its last 32 bits. */
const endOf = (version: string): RegExp =>
  new RegExp(
    String.raw`(-[\da-f]{8}-[\da-f]{4}-)${version}([\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{4})([\da-f]{8})\.metadata\.json$`
  )
const random = endOf("4")
const checked = endOf("8")

/** The name for a file of these bytes: `uri`, its random UUID with their checksum. Any other name stays as it is. */
export const uriOver = (uri: string, bytes: Uint8Array): string =>
  uri.replace(random, (_, first: string, second: string) => `${first}8${second}${checksumOf(bytes)}.metadata.json`)

/** Whether a file's name has the checksum of its bytes. */
export const isAsPrinted = (uri: string, bytes: Uint8Array): boolean => {
  const checksum = checked.exec(uri)?.[3]
  return checksum !== undefined && checksum === checksumOf(bytes)
}

/** Reads a metadata file; FormatError when it is none. */
export const tableMetadataFromFile = (uri: string, bytes: Uint8Array): TableMetadata =>
  isAsPrinted(uri, bytes) ? tableMetadataAsPrinted(bytes) : tableMetadataFromBytes(bytes)
