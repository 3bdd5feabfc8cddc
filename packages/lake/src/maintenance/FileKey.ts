/**
 * URIs of files, as orphan removal and expiry compare them: one key for all spellings that writers give a file. Pure.
 *
 * **Guarantee**: it errs on the side of "the same": files that differ only by percent-encoding, doubled slashes or an equal scheme
 * have one key, so that a file which some writer may have meant is kept. **Gotchas**: a key is no URI: nothing is opened by it.
 */
import { normaliseUri } from "@frazil/core"

/** Encoded once more by each program that a path went through. */
const decodingsMax = 4

/** Well-formed sequences only: a percent sign that stands for itself stays. */
const decodedOnce = (text: string): string =>
  text.replace(/(?:%[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded)
    } catch {
      return encoded
    }
  })

const decoded = (text: string): string => {
  let at = text
  for (let i = 0; i < decodingsMax; i++) at = decodedOnce(at)
  return at
}

/** Schemes that name the same store besides `s3`, `s3a` and `s3n`: the key's in place of the first. */
export type EqualSchemes = ReadonlyMap<string, string>

/** The key of a file. */
export const fileKey = (uri: string, equalSchemes?: EqualSchemes): string => {
  const [, scheme = "", rest = uri] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(uri) ?? []
  const lower = scheme.toLowerCase()
  const named = normaliseUri(scheme === "" ? uri : `${equalSchemes?.get(lower) ?? lower}:${rest}`)
  const [, start = "", path = named] = /^([a-z0-9+.-]+:\/\/[^/]*)(\/.*)?$/is.exec(named) ?? []
  const parts = decoded(path)
    .split("/")
    .filter((part) => part !== "" && part !== ".")
  return `${start}/${parts.join("/")}`
}
