/**
 * Reads answers of HTTP/1.1 from the bytes of a connection (RFC 9112): one at a time, bounded.
 *
 * `HttpPool` has one for each socket. Pure but for its own state. **Bounds**: 64 KB of head, `bodyBytesMax` of body, both
 * checked before anything is kept.
 */

export interface HttpResponse {
  readonly status: number
  readonly body: Uint8Array
  /** In lower case; undefined when there is none. */
  readonly header: (name: string) => string | undefined
}

export type ReadStep =
  | { readonly _tag: "More" }
  /** `reusable`: another request may follow on the connection. */
  | { readonly _tag: "Done"; readonly response: HttpResponse; readonly reusable: boolean }
  | { readonly _tag: "Failed"; readonly reason: "NotHttp" | "TooLong" }

export interface ResponseReader {
  readonly push: (bytes: Uint8Array) => ReadStep
  /** The connection has ended: what a body without a length waits for. */
  readonly end: () => ReadStep
  /** Whether anything of an answer has come. */
  readonly begun: () => boolean
}

const headBytesMax = 65_536
const chunkLineBytesMax = 1_024
const statusLine = /^HTTP\/1\.[01] ([1-9][0-9]{2})(?: [^\r\n]*)?\r\n/
const more: ReadStep = { _tag: "More" }
const failed = (reason: "NotHttp" | "TooLong"): ReadStep => ({ _tag: "Failed", reason })
const headEnd = Buffer.from("\r\n\r\n")
const lineEnd = Buffer.from("\r\n")

/** Only what is asked for is searched: most answers are asked for three headers. */
const headerOf = (head: string, name: string): string | undefined => {
  const at = head.toLowerCase().indexOf(`\r\n${name}:`)
  if (at < 0) return undefined
  const start = at + name.length + 3
  return head.slice(start, head.indexOf("\r\n", start)).trim()
}

interface Head {
  readonly status: number
  readonly text: string
  /** Undefined: until the connection ends. */
  readonly length: number | undefined
  readonly chunked: boolean
  readonly keep: boolean
}

const readHead = (text: string): Head | undefined => {
  const status = Number(statusLine.exec(text)?.[1])
  if (Number.isNaN(status)) return undefined
  const header = (name: string) => headerOf(text, name)
  const declared = header("content-length")
  if (declared !== undefined && !/^[0-9]{1,15}$/.test(declared)) return undefined
  const coding = header("transfer-encoding")?.toLowerCase()
  if (coding !== undefined && coding !== "chunked") return undefined
  const empty = status < 200 || status === 204 || status === 304
  // a length beside chunks is a sign of somebody in between: the chunks hold, the connection is not used again
  const keep =
    !/(^|,)\s*close\s*(,|$)/i.test(header("connection") ?? "") &&
    text.startsWith("HTTP/1.1") &&
    !(coding !== undefined && declared !== undefined)
  const length = empty ? 0 : declared === undefined ? undefined : Number(declared)
  return { status, text, length, chunked: coding !== undefined && !empty, keep }
}

/** The chunks' bytes and where they end; `more` when they are not all there. */
const readChunks = (
  bytes: Buffer,
  from: number,
  bodyBytesMax: number
): { readonly body: Buffer; readonly end: number } | ReadStep => {
  const pieces: Array<Buffer> = []
  let length = 0
  let at = from
  for (;;) {
    const line = bytes.indexOf(lineEnd, at)
    if (line < 0) return bytes.length - at > chunkLineBytesMax ? failed("NotHttp") : more
    const size = /^([0-9a-fA-F]{1,8})[ \t]*(;.*)?$/.exec(bytes.toString("latin1", at, line))?.[1]
    if (size === undefined) return failed("NotHttp")
    const bytesOf = Number.parseInt(size, 16)
    length += bytesOf
    if (length > bodyBytesMax) return failed("TooLong")
    at = line + 2
    if (bytesOf === 0) break
    if (bytes.length < at + bytesOf + 2) return more
    pieces.push(bytes.subarray(at, at + bytesOf))
    at += bytesOf + 2
  }
  // what follows the last chunk are headers of no interest, up to an empty line
  for (;;) {
    const line = bytes.indexOf(lineEnd, at)
    if (line < 0) return bytes.length - at > headBytesMax ? failed("NotHttp") : more
    const empty = line === at
    at = line + 2
    if (empty) return { body: Buffer.concat(pieces), end: at }
  }
}

export const makeResponseReader = (bodyBytesMax: number): ResponseReader => {
  let bytes: Buffer = Buffer.alloc(0)
  let head: Head | undefined
  let bodyAt = 0

  const done = (read: Head, body: Uint8Array, end: number, reusable: boolean): ReadStep => {
    const rest = bytes.length - end
    bytes = Buffer.alloc(0)
    head = undefined
    const response = { status: read.status, body, header: (name: string) => headerOf(read.text, name) }
    // bytes behind an answer that nobody asked for
    return { _tag: "Done", response, reusable: reusable && rest === 0 }
  }
  const step = (): ReadStep => {
    while (head === undefined) {
      const end = bytes.indexOf(headEnd)
      if (end < 0) return bytes.length > headBytesMax ? failed("NotHttp") : more
      if (end > headBytesMax) return failed("NotHttp")
      const read = readHead(bytes.toString("latin1", 0, end + 2))
      if (read === undefined) return failed("NotHttp")
      bodyAt = end + 4
      if (read.status >= 200) head = read
      else bytes = bytes.subarray(bodyAt) // 100 Continue and the like: the answer is still to come
    }
    if (head.chunked) {
      const chunks = readChunks(bytes, bodyAt, bodyBytesMax)
      return "_tag" in chunks ? chunks : done(head, chunks.body, chunks.end, head.keep)
    }
    if ((head.length ?? bytes.length - bodyAt) > bodyBytesMax) return failed("TooLong")
    if (head.length === undefined || bytes.length < bodyAt + head.length) return more
    const end = bodyAt + head.length
    return done(head, bytes.subarray(bodyAt, end), end, head.keep)
  }
  return {
    push: (piece) => {
      const arrived = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
      bytes = bytes.length === 0 ? arrived : Buffer.concat([bytes, arrived])
      return step()
    },
    end: () => {
      if (head === undefined || head.chunked || head.length !== undefined) return failed("NotHttp")
      return done(head, bytes.subarray(bodyAt), bytes.length, false)
    },
    begun: () => bytes.length > 0
  }
}
