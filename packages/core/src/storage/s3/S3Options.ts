/** Where a store of objects is and who we are there: what `platform` makes of a connection or the environment. */
import type { Redacted } from "effect"

export interface S3Options {
  /** Writes and deletes stay below it: `s3://BUCKET/PREFIX/`. */
  readonly root: string
  /** `http(s)://HOST[:PORT]`; Amazon's of the region when left out. */
  readonly endpoint?: string
  readonly region: string
  readonly accessKeyId: Redacted.Redacted
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken?: Redacted.Redacted
  /** `path`: http://HOST/BUCKET/KEY. `virtual`: http://BUCKET.HOST/KEY. By default `path` at a given endpoint. */
  readonly addressing?: "path" | "virtual"
  readonly limits?: S3Limits
}

export interface S3Limits {
  /** Files above it go up in parts of this size (S3: 5 MiB to 5 GiB); files come down in ranges of it. */
  readonly partBytes: number
  /** Parts of one file on their way at a time: the memory of an upload is this many parts. */
  readonly partsAtOnce: number
  readonly retriesMax: number
  readonly waitMinMs: number
  readonly waitMaxMs: number
  /** Of one request. */
  readonly timeoutMs: number
}

export const s3LimitsDefault: S3Limits = {
  partBytes: 8_388_608,
  partsAtOnce: 3,
  retriesMax: 6,
  waitMinMs: 50,
  waitMaxMs: 5_000,
  timeoutMs: 60_000
}
