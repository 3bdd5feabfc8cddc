/** Where a system's tables are kept and known, and its snapshots: what `--catalog`, `--warehouse` and `--checkpoints` say, read once. */
import { resolve } from "node:path"
import { normaliseUri, s3Place } from "@frazil/core"

export type CatalogPlace =
  /** In the data directory. */
  | { readonly _tag: "Sqlite" }
  /** A server of the Iceberg REST protocol. */
  | { readonly _tag: "Rest"; readonly url: string }

export const sqliteCatalog: CatalogPlace = { _tag: "Sqlite" }

/** One spelling of a server's address. */
export const catalogUrl = (url: string): string => url.replace(/\/+$/, "")

/** `sqlite`, or `http(s)://HOST[:PORT][/path]`; undefined when it is neither. */
export const parseCatalogPlace = (text: string): CatalogPlace | undefined => {
  if (text === "sqlite") return sqliteCatalog
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return undefined
  const { password, search, username } = new URL(text)
  // who we are is said by a connection of frazil.yaml
  return username === "" && password === "" && search === "" ? { _tag: "Rest", url: catalogUrl(text) } : undefined
}

/** The URI of a warehouse's root, or the snapshots', ending in a slash: a local path, `file:///…` or `s3://BUCKET/PREFIX`. */
export const folderUriOf = (text: string): string => {
  if (/^s3[an]?:/.test(text)) return `${normaliseUri(text).replace(/\/+$/, "")}/`
  return `${normaliseUri(text.startsWith("file:") ? text : resolve(text))}/`
}

/** What is wrong with the name of such a root; undefined when nothing is. */
export const folderProblem = (text: string): string | undefined =>
  /^s3[an]?:/.test(text) && s3Place(text) === undefined
    ? "s3://BUCKET/PREFIX"
    : /^[a-z][a-z0-9+.-]*:\/\//i.test(text) && !/^(file|s3[an]?):/.test(text)
      ? "a folder, or s3://BUCKET/PREFIX"
      : undefined
