/**
 * URIs in one spelling: `file:///…` for local files, `s3://…` for objects of S3.
 *
 * Java writes `file:/x`, others `file:///x` or a bare path: compared as text they would be different files, and orphan
 * removal would delete live ones; Hadoop writes `s3a://` for `s3://`. Everything that compares or stores a location passes it through `normaliseUri` first.
 */

/**
 * One spelling of `uri`: local files become `file:///absolute/path` without `.`, `..` or doubled slashes; `s3a` and `s3n`
 * become `s3`, whose keys stay as they are, since a doubled slash in them counts; other schemes stay as they are.
 *
 * **Gotchas**: nothing is percent-encoded or decoded, because PyIceberg, DuckDB and Java open the text behind `file://`
 * as it stands.
 */
export const normaliseUri = (uri: string): string => {
  const path = localPath(uri)
  return path === undefined ? uri.replace(/^s3[an]:\/\//, "s3://") : `file://${path}`
}

/** One spelling of a prefix: as `normaliseUri`, with the slash at its end kept, which decides what is below it. */
export const normalisePrefix = (prefix: string): string => {
  const uri = normaliseUri(prefix)
  return prefix.endsWith("/") && !uri.endsWith("/") ? `${uri}/` : uri
}

/** The local path of a `file:` URI or an absolute path; undefined for any other scheme and for relative paths. */
export const localPath = (uri: string): string | undefined => {
  const match = /^(?:file:(?:\/\/(?:localhost)?)?)?(\/.*)$/s.exec(uri)
  return match === null ? undefined : normalisePath(match[1] ?? "/")
}

const normalisePath = (path: string): string => {
  const parts: Array<string> = []
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue
    if (part === "..") parts.pop()
    else parts.push(part)
  }
  return `/${parts.join("/")}`
}
