/**
 * A small S3 in this process for tests: objects, conditional writes, ranges, pages, uploads in parts. It looks at no
 * signature; the real server of the integration tests does.
 */
import { createHash } from "node:crypto"
import { misbehavingServer, type Asked, type MisbehavingServer, type Reply } from "@frazil/sim/misbehaving"
import { Effect, type Scope } from "effect"

interface Kept {
  readonly bytes: Uint8Array
  readonly mark: string
  readonly modified: string
}

export interface FakeS3 extends MisbehavingServer {
  /** By bucket and key. */
  readonly objects: Map<string, Kept>
  /** Parts of uploads that are neither complete nor aborted. */
  readonly uploads: ReadonlyMap<string, ReadonlyMap<number, Uint8Array>>
}

const pageMax = 2

const md5 = (bytes: Uint8Array): string => `"${createHash("md5").update(bytes).digest("hex")}"`
const error = (status: number, code: string): Reply => ({
  status,
  headers: { "content-type": "application/xml" },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code} &amp; more</Message></Error>`
})
const xml = (body: string): Reply => ({ status: 200, headers: { "content-type": "application/xml" }, body })
const encode = (key: string): string => encodeURIComponent(key).replaceAll("%20", "+")

class Bucket {
  readonly objects = new Map<string, Kept>()
  readonly uploads = new Map<string, Map<number, Uint8Array>>()
  private readonly marks = new Map<string, string>()
  private ids = 0

  private put(key: string, asked: Asked, bytes: Uint8Array, mark: string): Reply {
    if (asked.headers["if-none-match"] === "*" && this.objects.has(key)) return error(412, "PreconditionFailed")
    this.objects.set(key, { bytes, mark, modified: "Thu, 26 Nov 2026 15:00:00 GMT" })
    return { status: 200, headers: { etag: md5(bytes) } }
  }

  private read(key: string, { headers, method }: Asked): Reply {
    const found = this.objects.get(key)
    if (found === undefined) return method === "HEAD" ? { status: 404 } : error(404, "NoSuchKey")
    const { bytes, mark, modified } = found
    const etag = md5(bytes)
    const about = { etag, "last-modified": modified, "x-amz-meta-frazil-write": mark }
    if (method === "HEAD") return { status: 200, headers: { ...about, "content-length": String(bytes.length) } }
    if (headers["if-match"] !== undefined && headers["if-match"] !== etag) return error(412, "PreconditionFailed")
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "")
    if (range === null) return { status: 200, headers: about, body: bytes }
    const [from, to] = [Number(range[1]), Number(range[2])]
    if (from >= bytes.length) return error(416, "InvalidRange")
    const part = bytes.slice(from, to + 1)
    const contentRange = `bytes ${from}-${from + part.length - 1}/${bytes.length}`
    return { status: 206, headers: { ...about, "content-range": contentRange }, body: part }
  }

  private list(query: URLSearchParams): Reply {
    const prefix = query.get("prefix") ?? ""
    const from = query.get("continuation-token") ?? ""
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > from).sort()
    const page = keys.slice(0, pageMax)
    const contents = page.map(
      (key) =>
        `<Contents><Key>${encode(key)}</Key><LastModified>2026-11-26T15:00:00.000Z</LastModified><Size>${this.objects.get(key)?.bytes.length}</Size></Contents>`
    )
    const more = keys.length > page.length
    const next = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ""
    return xml(
      `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${more}</IsTruncated>${next}${contents.join("")}</ListBucketResult>`
    )
  }

  private upload(key: string, asked: Asked, query: URLSearchParams): Reply {
    const id = query.get("uploadId")
    if (id === null) {
      const made = `upload-${++this.ids}`
      this.uploads.set(made, new Map())
      this.marks.set(made, String(asked.headers["x-amz-meta-frazil-write"]))
      return xml(`<InitiateMultipartUploadResult><UploadId>${made}</UploadId></InitiateMultipartUploadResult>`)
    }
    const parts = this.uploads.get(id)
    if (parts === undefined) return error(404, "NoSuchUpload")
    if (asked.method === "DELETE") {
      this.uploads.delete(id)
      return { status: 204 }
    }
    if (asked.method === "PUT") {
      parts.set(Number(query.get("partNumber")), asked.bytes)
      return { status: 200, headers: { etag: md5(asked.bytes) } }
    }
    const told = Array.from(asked.body.matchAll(/<PartNumber>(\d+)<\/PartNumber>/g), (match) => Number(match[1]))
    const whole = Buffer.concat(told.map((part) => parts.get(part) ?? Buffer.from("lost")))
    const reply = this.put(key, asked, new Uint8Array(whole), this.marks.get(id) ?? "")
    if (reply.status !== 200) return reply
    this.uploads.delete(id)
    return xml("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")
  }

  answer(asked: Asked): Reply {
    const url = new URL(asked.path, "http://fake")
    const [, bucket = "", ...rest] = url.pathname.split("/")
    const key = decodeURIComponent(rest.join("/"))
    if (bucket !== "lake") return asked.method === "HEAD" ? { status: 404 } : error(404, "NoSuchBucket")
    if (url.searchParams.has("uploadId") || url.searchParams.has("uploads")) {
      return this.upload(key, asked, url.searchParams)
    }
    switch (asked.method) {
      case "PUT":
        return this.put(key, asked, asked.bytes, String(asked.headers["x-amz-meta-frazil-write"]))
      case "DELETE":
        this.objects.delete(key)
        return { status: 204 }
      default:
        return key === "" ? this.list(url.searchParams) : this.read(key, asked)
    }
  }
}

/** It has one bucket, `lake`; pages of lists are short. */
export const fakeS3: Effect.Effect<FakeS3, never, Scope.Scope> = Effect.gen(function* () {
  const bucket = new Bucket()
  const server = yield* misbehavingServer((asked) => Promise.resolve(bucket.answer(asked)))
  return { ...server, objects: bucket.objects, uploads: bucket.uploads }
})
