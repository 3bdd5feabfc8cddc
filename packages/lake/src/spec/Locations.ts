/**
 * Where a table's files lie and how they are called: as Java and PyIceberg do, so that people find their way (specification,
 * appendix F, "Path Construction").
 */
import type { TableMetadata } from "./TableMetadata.ts"

const joined = (location: string, path: string | undefined, fallback: string): string => {
  if (path === undefined) return `${location}/${fallback}`
  const trimmed = path.replace(/\/+$/, "")
  return /^[a-z0-9+.-]+:|^\//i.test(trimmed) ? trimmed : `${location}/${trimmed}`
}

/** The folder of metadata files, manifest lists and manifests. */
export const metadataFolder = (metadata: TableMetadata): string =>
  joined(metadata.location, metadata.properties.get("write.metadata.path"), "metadata")

/** The folder of data files; partitions have folders below it. */
export const dataFolder = (metadata: TableMetadata): string =>
  joined(metadata.location, metadata.properties.get("write.data.path"), "data")

/** The version that a metadata file's name begins with; -1 when it has none. */
const versionOf = (metadataLocation: string): number => {
  const match = /\/(\d+)-[^/]*$/.exec(metadataLocation)
  return match === null ? -1 : Number(match[1])
}

/** The name of the metadata file that follows `previous` (undefined: the first). */
export const metadataFileName = (previous: string | undefined, uuid: string): string => {
  const version = previous === undefined ? 0 : versionOf(previous) + 1
  return `${String(version).padStart(5, "0")}-${uuid}.metadata.json`
}
